import type { Entry } from '../../../src/core/journal/entry.ts';
import type { Count } from '../../../src/core/judge/counting.ts';
import { known } from '../../../src/core/observed/reading.ts';
import type { RolloutEvent, ServerFound, ServerTarget, Target } from '../../../src/core/rollout/events.ts';
import type { Observation } from '../../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../../src/core/rollout/plan.ts';
import type { RolloutState } from '../../../src/core/rollout/state.ts';
import { type Watch, watch } from '../../../src/core/rollout/watch.ts';
import { startOperation } from '../../../src/engine/anchors.ts';
import { openChain } from '../../../src/engine/chain.ts';
import { createInbox } from '../../../src/engine/inbox.ts';
import { observe } from '../../../src/engine/observe.ts';
import { runOperation } from '../../../src/engine/operation.ts';
import type { BackMarker, OperationPorts } from '../../../src/engine/operation-ports.ts';
import type { Backend, Group } from '../../../src/engine/ports.ts';
import { systemClock } from '../../../src/io/clock/system.ts';
import { openMemoryJournal } from '../../../src/io/journal/memory.ts';
import { sha256 } from '../../../src/io/journal/sha256.ts';
import { madeInstance, madeStart, sizedPlan } from '../../made/rollout.ts';

/** The real loop with the real rules on real balancers, in the middle of its first step; its journal is in memory. */
export type Controller = {
  /** What it has written to the journal since, in few words each; what only tells of it going on is left out. */
  readonly decided: readonly string[];
  /** As the watch has counted it: per side since the controller began. */
  counted(): { readonly origin: Count; readonly destination: Count };
  /** How many passes have been made. */
  passes(): number;
  /** The last observation. */
  seen(): Observation;
  /** Ends the loop, and looks on until no request is open anywhere. */
  settle(): Promise<void>;
  stop(): Promise<void>;
};

export type ControllerOptions = {
  readonly backends: Readonly<Record<string, Backend>>;
  readonly objective: number;
};

const operation = 'move';
const never = new AbortController().signal;

export async function startController({ backends, objective }: ControllerOptions): Promise<Controller> {
  const ports = portsFor(backends);
  await beginJudging(ports, planFor(Object.keys(backends), objective));
  const decided: string[] = [];
  let last: { state: RolloutState; watch: Watch; observation: Observation } | null = null;
  let passes = 0;
  const stopping = new AbortController();
  const tell = (entry: Entry) => {
    const words = wordsOf(entry.body as RolloutEvent);
    // A way back that has begun is written down once more when it turns out that all of it has to be taken at once.
    if (words !== null && words !== decided.at(-1)) decided.push(words);
  };
  const ended = runOperation({ ...ports, tell }, operation, createInbox(), stopping.signal, undefined, (glance) => {
    last = glance;
    passes += 1;
  });
  const lastPass = () => {
    if (last === null) throw new Error('the controller has not looked yet');
    return last;
  };
  const look = async () => {
    const { state, watch: before } = lastPass();
    const observation = await observe(ports, state.plan, operation, [], null, []);
    last = { state, watch: watch(before, state, observation), observation };
    return observation;
  };
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  return {
    decided,
    counted: () => lastPass().watch.counted,
    passes: () => passes,
    seen: () => lastPass().observation,
    async settle() {
      await stop();
      const endsAt = performance.now() + 30_000;
      while (!isQuiet(await look())) {
        if (performance.now() > endsAt) throw new Error('requests stay open');
        await systemClock.sleep(20, never);
      }
    },
    stop,
  };
}

function isQuiet({ backends }: Observation): boolean {
  return Object.values(backends).every(
    ({ reading }) => reading.known && reading.value.servers.every(({ counters }) => counters.scur === 0),
  );
}

function wordsOf(event: RolloutEvent): string | null {
  switch (event.kind) {
    case 'back-performed':
      return `back: ${event.cause.kind === 'tripwire' ? event.cause.wire : event.cause.kind}`;
    case 'held':
      return `held: ${event.why}`;
    case 'intended':
      return `intended: ${event.why}`;
    case 'checkpoint':
    case 'confirmed':
      return null;
    default:
      return event.kind;
  }
}

function planFor(ids: readonly string[], objective: number): RolloutPlan {
  return {
    ...sizedPlan,
    // Enough for any load here: it is not about capacity.
    origin: { ...sizedPlan.origin, capacityRps: 10_000 },
    destination: { ...sizedPlan.destination, capacityRps: 10_000 },
    backends: ids.map((id) => ({ id, origin: 'old-*', destination: 'new-*' })),
    steps: [{ kind: 'weight', share: 0.5, instances: null, bakeMs: 3_600_000 }],
    objective,
    policy: { ...sizedPlan.policy, attemptMsMax: 1000 },
  };
}

export const servers = ['old-1', 'old-2', 'new-1', 'new-2'] as const;

async function beginJudging(ports: OperationPorts, plan: RolloutPlan): Promise<void> {
  const ids = plan.backends.map(({ id }) => id);
  const found = servers.map((name): [string, ServerFound] => {
    const isOrigin = name.startsWith('old');
    return [name, { side: isOrigin ? 'origin' : 'destination', weight: isOrigin ? 100 : 0, admin: 'ready' }];
  });
  const carry = servers.map((name): [string, ServerTarget] => {
    return [name, { weight: 100, admin: name.startsWith('old') ? null : 'ready' }];
  });
  const everywhere = <T>(value: T) => Object.fromEntries(ids.map((id) => [id, value]));
  const target: Target = {
    requestedShare: 0.5,
    traffic: everywhere(Object.fromEntries(carry)),
    origin: { min: 2, desired: null, exact: false },
    destination: { min: 2, desired: null, exact: false },
  };
  const asFound = { ...madeStart().asFound, backends: everywhere(Object.fromEntries(found)) };
  await startOperation(ports, operation, { ...madeStart(), plan, asFound }, 'kim');
  const observation = await observe(ports, plan, operation, [], null, []);
  const confirmed = ids.map((backend): RolloutEvent => {
    const reading = observation.backends[backend]?.reading;
    if (!reading?.known) throw new Error(`${backend} does not answer`);
    return { kind: 'confirmed', backend, process: reading.value.process, intent: 2 };
  });
  const chain = openChain(ports.journal, operation, sha256);
  await chain.catchUp(never);
  const events: RolloutEvent[] = [
    { kind: 'intended', target, why: 'a fault is about to be planted' },
    ...confirmed,
    { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 },
  ];
  const drafts = events.map((body) => ({ body, actor: 'drover', atMs: Date.now(), rules: 1 }));
  if ((await chain.append(drafts, never)) === 'conflict') throw new Error('somebody else writes this journal');
}

function portsFor(backends: Readonly<Record<string, Backend>>): OperationPorts {
  const journal = openMemoryJournal();
  return {
    clock: systemClock,
    journal,
    leases: journal.leases,
    samples: journal.samples,
    backends,
    origin: group('old', 'build-1'),
    destination: group('new', 'build-2'),
    marker: markerInMemory(),
    sha256,
    holder: 'fault-matrix',
    timing: { pollMs: 100, callMs: 1000, leaseMs: 10_000 },
    tell: () => undefined,
  };
}

/** Instances that somebody else runs, all of them healthy by what their provider knows. */
function group(prefix: string, build: string): Group {
  const instances = servers.filter((name) => name.startsWith(prefix)).map((name) => madeInstance(name));
  return {
    read: async () => ({ size: { min: 2, max: 4, desired: 2 }, instances, build: known(build) }),
    resize: async () => undefined,
  };
}

function markerInMemory(): BackMarker {
  let text: string | null = null;
  return {
    read: async () => text,
    write: async (_operation, who) => {
      text ??= who;
    },
    remove: async () => {
      text = null;
    },
  };
}
