import type { Entry } from '../../../core/journal/entry.ts';
import { type FleetEvent, fleetOperation } from '../../../core/journal/fleet.ts';
import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import { hasMoveEnded, type MoveState } from '../../../core/move/operation/state.ts';
import type { CopyController } from '../controller.ts';
import type { CopyRun } from '../run.ts';
import { CopyChain } from './chain.ts';
import { SendChecks } from './sends.ts';
import type { CheckName, Violation } from './violation.ts';
import { WriteChecks } from './writes.ts';

/** All that must never be true of a copy; reads the world and the durable journal only. The first violation ends the run. */
export class CopyChecks {
  readonly chain = new CopyChain();
  readonly sends: SendChecks;
  readonly writes: WriteChecks;
  violation: Violation | null = null;
  /** When the wall clock was set last. */
  steppedAtMs = Number.NEGATIVE_INFINITY;
  readonly #run: CopyRun;

  constructor(run: CopyRun) {
    this.#run = run;
    const report = (check: CheckName, text: string) => this.fail(check, text);
    const { scenario, target, schedule, controllers } = run;
    const { callMs, leaseMs } = scenario.timing;
    this.writes = new WriteChecks(this.chain, target, callMs + scenario.lagMsMax, report);
    this.sends = new SendChecks({
      ...{ chain: this.chain, report, leaseMs, nowMs: () => schedule.nowMs },
      controllerOf: (holder) => controllers.get(holder),
      steppedAtMs: () => this.steppedAtMs,
    });
  }

  fail(check: CheckName, text: string): void {
    this.violation ??= { check, atMs: this.#run.schedule.nowMs, text };
    this.#run.schedule.stop();
  }

  onEntry(entry: Entry): void {
    const event = this.chain.add(entry, this.#run.schedule.nowMs);
    const { state } = this.chain;
    if (state === null) return;
    const { sentBytes } = this.#run.movers;
    if (state.bytes > sentBytes)
      this.fail('no more bytes than were sent', `entry ${entry.seq}: ${state.bytes} of ${sentBytes} bytes`);
    if (event.kind === 'copy-resumed') this.sends.resumed();
    if (event.kind === 'levers-set' || event.kind === 'copying') this.writes.acls.copying(state);
    if (event.kind === 'caught-up') this.#caughtUp(state);
  }

  /** The next one takes the lease for free. */
  givenBack(holder: string): void {
    this.writes.givenBack(holder);
    this.sends.leased(holder, 0);
  }

  /** What is asked of a controller that has the lease is done, unless something keeps it from that. */
  asked(controller: CopyController, request: MoveRequest): void {
    const run = this.#run;
    const { holder } = controller.process;
    this.sends.asked(holder, request);
    const isLeased = () => run.durable.leaseHolder('copy-1', run.wallMs()) === holder;
    if (!isLeased()) return;
    const [seq, askedAtMs] = [this.chain.entries.length, run.schedule.nowMs];
    const isTroubled = () =>
      !controller.process.alive ||
      controller.process.pausedUntilMs > askedAtMs ||
      run.isDiskFull ||
      run.stalledUntilMs > askedAtMs ||
      this.steppedAtMs > askedAtMs ||
      !isLeased();
    let wasTroubled = false;
    const look = (left: number) => {
      wasTroubled ||= isTroubled();
      if (wasTroubled || run.isOver) return;
      if (left > 0) return void run.schedule.after(500, () => look(left - 1));
      const since = this.chain.entries.slice(seq).map(({ body }) => body.kind);
      if (!isAnswered(request, this.chain.state, since))
        this.fail('asked is answered', `${holder} was asked, and 30 s later: ${JSON.stringify(request)}`);
    };
    look(60);
  }

  atEnd(): void {
    const { durable } = this.#run;
    const report = (check: CheckName, text: string) => this.fail(check, text);
    this.chain.check(durable.read(fleetOperation, 0), report);
    const { state } = this.chain;
    if (state === null || !hasMoveEnded(state)) return this.fail('everything ends', 'the copy has not ended');
    this.writes.atEnd(state);
    this.#lastWord(state);
  }

  /** Somebody looks at it long after all is well: what the source has got since it was planned is on the target too. */
  looking({ stage, plan, targetIds, held }: MoveState): void {
    const { scenario, target, sourcePartitions } = this.#run;
    // Where something has stopped, no controller stays.
    const hasStopped = this.chain.entries.some(({ body }) => body.kind === 'partition-stopped');
    if (stage.kind !== 'copying' || held !== null || hasStopped) return;
    for (const { name } of plan.topics) {
      const topic = target.byId.get(targetIds[name] ?? '');
      if (topic === undefined || topic.deletedAtMs !== null) continue;
      const [there, wanted] = [topic.partitions.length, sourcePartitions.get(name) ?? 0];
      const planned = scenario.topics.find((one) => one.name === name)?.ends.length ?? 0;
      if (wanted > planned && there < wanted)
        this.fail('what is followed grows', `${name} has ${there} partitions, and ${wanted} on the source`);
    }
  }

  isEndAnchored(fleet: readonly Entry[]): boolean {
    const last = this.chain.entries.at(-1);
    return fleet.some(({ body }) => {
      const event = body as FleetEvent;
      return event.kind === 'operation-ended' && event.hash === last?.hash;
    });
  }

  /** All that was asked for stands there, as far as nobody has taken it away; and what has to be known of it is in the journal. */
  #caughtUp({ plan, targetIds, unproven }: MoveState): void {
    const { target, movers } = this.#run;
    for (const { name, partitions } of plan.topics) {
      const topic = target.byId.get(targetIds[name] ?? '');
      if (topic === undefined || topic.deletedAtMs !== null) continue;
      for (const { partition, end } of partitions) {
        const log = topic.partitions[partition];
        if (end === null || log === undefined || log.end < end)
          this.fail('copied is copied', `${name}-${partition} ends at ${log?.end}, and the source at ${end}`);
        for (const { from, to } of movers.ledger(topic.id, partition).unproven)
          if (!unproven.some((one) => one.topic === name && one.from === from && one.partition === partition))
            this.fail('what was found is journalled', `${name}-${partition}: ${from} to ${to} are unproven`);
      }
    }
  }

  /** What was asked for last is how it has ended. */
  #lastWord({ stage }: MoveState): void {
    const kinds = this.chain.entries.map(({ body }) => body.kind);
    const wanted = kinds.includes('removal-asked') ? 'removed' : kinds.includes('abort-asked') ? 'aborted' : 'copied';
    if (stage.kind !== wanted) this.fail('asked is answered', `it is ${stage.kind}, and was to be ${wanted}`);
  }
}

function isAnswered(request: MoveRequest, state: MoveState | null, since: readonly string[]): boolean {
  const isUnderWay = state?.stage.kind === 'preparing' || state?.stage.kind === 'copying';
  switch (request.kind) {
    case 'hold':
      return !isUnderWay || state?.held !== null || since.includes('copy-resumed');
    case 'abort':
      return !isUnderWay;
    case 'back':
      return (
        !isUnderWay && (state?.removal !== null || state.stage.kind === 'removing' || state.stage.kind === 'removed')
      );
    default:
      return true;
  }
}
