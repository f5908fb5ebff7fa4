import type { MoveEffect } from '../../core/move/operation/decision.ts';
import type { Holdings } from '../../core/move/operation/observation.ts';
import type { MovePorts, MoveTarget, TargetAcls } from '../../engine/move-ports.ts';
import { PortError } from '../../engine/ports.ts';
import { openMoverEnd } from '../../io/kafka/channel/controllers-end.ts';
import type { Landing } from '../calls.ts';
import { ControllerProcess, type ProcessSurroundings } from '../controller-process.ts';
import { sha256 } from '../hash.ts';
import type { SimMovers } from './movers.ts';
import type { CopyPoint } from './points.ts';
import type { CopyFault, CopyScenario } from './scenario.ts';
import type { SimTarget, SimTopic } from './target.ts';

/** What a controller does to the target, at the moment at which it takes effect. */
export type CopyWrite = {
  readonly by: string;
  readonly issuedAtMs: number;
  /** Length of the copy's durable chain when the call was made. */
  readonly issuedSeq: number;
  /** Whether its sender held the lease then. */
  readonly leased: boolean;
  /** Its sender stood still meanwhile: it may have lain there for as long. */
  readonly stoodStill: boolean;
  readonly effect: MoveEffect;
};

export type CopySurroundings = Omit<ProcessSurroundings<CopyPoint>, 'strikes' | 'lateMsMax'> & {
  readonly operation: string;
  readonly scenario: CopyScenario;
  readonly target: SimTarget;
  readonly movers: SimMovers;
  readonly strikes: (fault: CopyFault) => boolean;
  /** Looks at it and does it; the id of a topic that it has made. */
  readonly onWrite: (write: CopyWrite) => string | null;
};

/** One controller process of a copy, with the ports that its engine gets. */
export class CopyController {
  readonly process: ControllerProcess<CopyPoint>;
  readonly ports: MovePorts;
  readonly #around: CopySurroundings;

  constructor(holder: string, around: CopySurroundings) {
    this.#around = around;
    const { scenario, movers } = around;
    this.process = new ControllerProcess(holder, {
      ...around,
      // A connection delivers what is sent once.
      strikes: (fault) => fault !== 'call-duplicated' && around.strikes(fault),
      lateMsMax: scenario.timing.callMs,
    });
    const reach = { bootstrap: [], tls: null, checksNames: true, sasl: null, clientId: null };
    const places = { source: reach, target: reach, version: '0', ledgers: 'copies', record: 'copy-1.mover' };
    this.ports = {
      clock: this.process.clock('sleep'),
      journal: this.process.journal(['journal.append/before', 'journal.append/after']),
      leases: this.process.leases('lease.acquire'),
      target: this.#target(),
      acls: this.#acls(),
      mover: openMoverEnd(movers.machineOf(this.process), places),
      sha256,
      holder,
      timing: scenario.timing,
      tell: () => undefined,
    };
  }

  #target(): MoveTarget {
    const { target, scenario, random, strikes } = this.#around;
    return {
      read: ({ topics, holdingsOf }, signal) =>
        this.#call('reading topics', signal, ['target.read', null], () => {
          const behindMs = strikes('read-late') ? random.integer(0, scenario.lagMsMax) : 0;
          return target.found(topics, behindMs, (topic) =>
            holdingsOf.includes(topic.name) ? this.#held(topic) : null,
          );
        }),
      makeTopic: (topic, make, signal) => this.#write({ kind: 'make-topic', topic, ...make }, signal),
      makePartitions: async (topic, partitions, signal) => {
        await this.#write({ kind: 'make-partitions', topic, partitions }, signal);
      },
      changeSettings: async (changes, signal) => {
        await this.#write({ kind: 'change-settings', changes }, signal);
      },
      deleteTopic: async (topic, topicId, signal) => {
        await this.#write({ kind: 'delete-topic', topic, topicId }, signal);
      },
    };
  }

  #acls(): TargetAcls {
    const { target, scenario, random, strikes } = this.#around;
    return {
      readAcls: (signal) =>
        this.#call('reading ACLs', signal, ['target.read', null], () =>
          target.acls.found(strikes('read-late') ? random.integer(0, scenario.lagMsMax) : 0),
        ),
      makeAcls: async (acls, signal) => {
        await this.#write({ kind: 'make-acls', acls }, signal);
      },
      deleteAcls: async (acls, signal) => {
        await this.#write({ kind: 'delete-acls', acls }, signal);
      },
    };
  }

  #held({ id, partitions, groups }: SimTopic): Holdings {
    const { movers } = this.#around;
    return {
      partitions: partitions.map(({ end }, partition) => {
        const ledger = movers.ledgers.get(`${id}/${partition}`);
        return { partition, logEnd: end, ledgerEnd: ledger?.end ?? null };
      }),
      groups: [...groups.keys()],
    };
  }

  #write(effect: MoveEffect, signal: AbortSignal): Promise<string | null> {
    const { schedule, durable, operation, wallMs, onWrite, target } = this.#around;
    const { holder } = this.process;
    const write: Omit<CopyWrite, 'stoodStill'> = {
      by: holder,
      issuedAtMs: schedule.nowMs,
      issuedSeq: durable.head(operation).seq,
      leased: durable.leaseHolder(operation, wallMs()) === holder,
      effect,
    };
    return this.#call(effect.kind, signal, ['target.write/before', 'target.write/after'], (landing) => {
      if (target.isRefusing) throw new PortError('refused', 'POLICY_VIOLATION: not now', { retriable: true });
      const stoodStill = this.process.pausedUntilMs > write.issuedAtMs;
      return onWrite({ ...write, stoodStill, effect: partOf(effect, landing) });
    });
  }

  #call<T>(
    what: string,
    signal: AbortSignal,
    points: readonly [before: CopyPoint, after: CopyPoint | null],
    perform: (landing: Landing) => T,
  ): Promise<T> {
    const { target } = this.#around;
    const hangs = () => target.isAway;
    return this.process.remote({ what, signal, points, writes: points[1] !== null, hangs, perform });
  }
}

/** A broker changes one topic, and one entry, after the other. */
function partOf(effect: MoveEffect, { partly }: Landing): MoveEffect {
  if (partly && (effect.kind === 'make-acls' || effect.kind === 'delete-acls'))
    return { ...effect, acls: effect.acls.slice(0, 1) };
  if (!partly || effect.kind !== 'change-settings') return effect;
  return { ...effect, changes: effect.changes.filter(({ topic }) => topic === effect.changes[0]?.topic) };
}
