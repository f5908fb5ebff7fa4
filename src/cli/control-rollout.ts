import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../core/fleet/config.ts';
import type { Entry } from '../core/journal/entry.ts';
import type { OperatorRequest } from '../core/rollout/observation.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import { type RolloutStatus, statusOf } from '../core/rollout/status.ts';
import { createInbox } from '../engine/inbox.ts';
import { type Glance, runOperation } from '../engine/operation.ts';
import { openAnnouncer } from './announce.ts';
import { CliError, type Context, type ControlRequest } from './context.ts';
import { rolloutsOf } from './history.ts';
import type { OpenJournal } from './open-journal.ts';
import { openService } from './open-service.ts';

export type ControlOptions = {
  readonly config: Config;
  readonly opened: OpenJournal;
  readonly operation: string;
  readonly service: string;
  /** Requests that wait for the first pass. */
  readonly requests: readonly OperatorRequest[];
  readonly heartbeat: string | null;
  readonly onEntry: (entry: Entry) => void;
  readonly onStatus: (status: RolloutStatus, state: RolloutState) => void;
  /** Something that does not touch the rollout failed: a line for people. */
  readonly onTrouble: (line: string) => void;
};

export type ControlEnd =
  | { readonly kind: 'ended'; readonly state: RolloutState }
  | { readonly kind: 'stopped'; readonly state: RolloutState };

const heartbeatMs = 30_000;

/**
 * Is the controller of one rollout until it ends or this process is asked to end: the loop, the control socket, signals
 * and the heartbeat. On a signal the share is held, that is journalled, and nothing proceeds.
 */
export async function controlRollout(context: Context, options: ControlOptions): Promise<ControlEnd> {
  const { opened, operation } = options;
  const before = await opened.journal.read(operation, 0);
  const announcer = openAnnouncer(context, options.config, before, options.onTrouble);
  const inbox = createInbox();
  for (const request of options.requests) inbox.push(request);
  const stop = new AbortController();
  let last: Glance | null = null;
  const control = await context.world.listenControl(opened.controlSocket, (request) =>
    Promise.resolve(answer(request, operation, inbox.push, () => last)),
  );
  if (control === 'busy') throw busy(opened);
  const rollout = openService(
    context,
    options.config,
    options.service,
    opened.journal,
    opened.stateDirectory,
    'control',
  );
  const signals = holdOnSignals(context, inbox.push, stop, () => last?.state ?? null);
  const heart = beat(context, options.heartbeat);
  try {
    const tell = (entry: Entry) => {
      options.onEntry(entry);
      announcer.entry(entry);
    };
    const ports = { ...rollout.ports, tell };
    const glance = (next: Glance) => {
      last = next;
      if (signals.asked() && (next.state.held !== null || next.state.back !== null)) stop.abort();
      options.onStatus(statusOf(next.state, next.watch, next.observation), next.state);
    };
    const { end } = await runOperation(ports, operation, inbox, stop.signal, undefined, glance);
    const state = await folded(last, opened, operation);
    return { kind: end, state };
  } finally {
    signals.release();
    heart.stop();
    await rollout.close();
    await control.close();
    await announcer.close();
  }
}

/** Everything that an offline way back needs, beside the journal: written before the first change. */
export async function exportState(opened: OpenJournal, config: Config, state: RolloutState): Promise<void> {
  const service = config.services[state.plan.service];
  const content = {
    operation: state.operation,
    balancers: (service?.traffic ?? []).map((traffic) => ({
      ...traffic,
      balancer: config.balancers[traffic.balancer] ?? null,
    })),
    asFound: state.asFound.backends,
  };
  const path = join(opened.stateDirectory, `${state.operation}.json`);
  await mkdir(opened.stateDirectory, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function answer(
  request: ControlRequest,
  operation: string,
  push: (request: OperatorRequest) => void,
  last: () => Glance | null,
): unknown {
  const glance = last();
  switch (request.kind) {
    case 'status':
      return {
        pid: process.pid,
        operation,
        status: glance && statusOf(glance.state, glance.watch, glance.observation),
      };
    case 'operator':
      if (request.operation !== operation)
        throw new Error(`this controller runs ${operation}, not ${request.operation}`);
      push(request.request);
      return { accepted: true };
    default:
      throw new Error('a controller answers "status" and "operator"');
  }
}

function holdOnSignals(
  context: Context,
  push: (request: OperatorRequest) => void,
  stop: AbortController,
  state: () => RolloutState | null,
) {
  let asked = 0;
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (name: NodeJS.Signals) => {
    asked++;
    // Nothing to hold on the way back or when the journal does not take it: the second signal ends at once.
    if (asked > 1 || state() === null) stop.abort();
    else push({ kind: 'hold', by: context.user, why: `the controller was asked to end (${name})` });
  };
  for (const name of names) process.on(name, onSignal);
  return {
    asked: () => asked > 0,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

/** Called every 30 s and once more at the end; a silence of it tells somebody outside that the controller is gone. */
function beat(context: Context, url: string | null): { stop(): void } {
  if (url === null) return { stop: () => undefined };
  const ping = () => void context.world.ping(url, AbortSignal.timeout(5000)).catch(() => undefined);
  ping();
  const timer = setInterval(ping, heartbeatMs);
  return {
    stop() {
      clearInterval(timer);
      ping();
    },
  };
}

async function folded(last: Glance | null, opened: OpenJournal, operation: string): Promise<RolloutState> {
  const all = await rolloutsOf(opened.journal, null).catch(() => []);
  const state = all.find((one) => one.state.operation === operation)?.state ?? last?.state;
  if (state === undefined) throw new CliError(`nothing is known of ${operation}`);
  return state;
}

function busy(opened: OpenJournal): CliError {
  return new CliError(
    `another controller answers at ${opened.controlSocket}`,
    'see what it does with `drover status`; it takes `drover hold`, `drover resume` and `drover back`',
  );
}
