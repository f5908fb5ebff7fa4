import { dirname, join } from 'node:path';
import { hasEnded, type RolloutState } from '../../core/rollout/state.ts';
import { stageWords } from '../../core/rollout/status.ts';
import { PortError } from '../../engine/ports.ts';
import { commandAt, type Place } from '../command-at.ts';
import { CliError, type Context, type Journal } from '../context.ts';
import { rolloutsOf } from '../journal/history.ts';
import { journalPath } from '../journal/path.ts';
import { timing } from '../open-service.ts';
import type { ControllerAnswer } from './messages.ts';
import { controllerAt } from './reach.ts';

/** A controller that listens and does not answer: stopped, or its process hangs. */
export type Silence = {
  /** null: not known. */
  readonly pid: number | null;
  /** When it gave its last sign of life: it renews its lease every few seconds. null: not known. */
  readonly sinceMs: number | null;
};

/** What answers at the control socket; nothing does; or something is there that does not answer. Throws other PortErrors. */
export async function controllerOrSilence(
  context: Context,
  socket: string,
  journal: Journal | null,
): Promise<ControllerAnswer | Silence | null> {
  try {
    return await controllerAt(context, socket);
  } catch (error) {
    if (!(error instanceof PortError && error.code === 'timeout')) throw error;
    return await silenceOf(journal);
  }
}

export function isSilence(found: ControllerAnswer | Silence | null): found is Silence {
  return found !== null && !('status' in found);
}

/** The controller that was last seen in the journal. What cannot be read there is not known. */
async function silenceOf(journal: Journal | null): Promise<Silence> {
  const unknown: Silence = { pid: null, sinceMs: null };
  try {
    let last = unknown;
    for (const { operation } of (await journal?.heads()) ?? []) {
      const lease = await journal?.leases.holderOf(operation);
      const sinceMs = lease == null ? 0 : signOf(lease);
      if (lease == null || sinceMs < (last.sinceMs ?? 0)) continue;
      last = { pid: Number(/^\d+/.exec(lease.holder)?.[0] ?? 0) || null, sinceMs };
    }
    return last.pid !== null && isThere(last.pid) ? last : unknown;
  } catch {
    return unknown;
  }
}

/** When a controller of this rollout was last there, by its lease; null: it gave that back, or it cannot be read. */
export async function signOfLife(journal: Journal | null, operation: string): Promise<number | null> {
  const lease = await journal?.leases.holderOf(operation).catch(() => null);
  return lease == null ? null : signOf(lease);
}

/** It is renewed long before its end. */
function signOf({ expiresAtMs }: { readonly expiresAtMs: number }): number {
  return expiresAtMs - timing.leaseMs;
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Two sentences: what is known of it, and what can be done. */
export function silenceWords({ pid, sinceMs }: Silence, nowMs: number, command: (verb: string) => string) {
  const who = pid === null ? '' : ` (pid ${pid})`;
  const since =
    sinceMs === null ? '' : `: its last sign of life is ${Math.max(0, Math.round((nowMs - sinceMs) / 1000))} s old`;
  const named = pid ?? 'PID';
  return {
    what: `THE CONTROLLER DOES NOT ANSWER${who}${since}. Nothing proceeds while it hangs`,
    remedy: `\`${command('back')}\` takes the traffic back without it. If its process was stopped, \`kill -CONT ${named}\` lets it go on; else \`kill -9 ${named}\`, and then \`${command('apply')}\` goes on${pid === null ? ' (`fuser` on the control socket names it)' : ''}`,
  };
}

/** The error of a verb that would have told such a controller something, with where the rollouts stand by the journal. */
export async function silentController(context: Context, place: Place): Promise<CliError> {
  const journal = await context.world.openJournal(journalPath(context, place), { readOnly: true }).catch(() => null);
  try {
    const { what, remedy } = silenceWords(await silenceOf(journal), context.clock.now(), commandAt(place));
    const past = await rolloutsOf(context.world, journal, null).catch(() => []);
    const open = past.map(({ state }) => state).filter((state) => !hasEnded(state));
    return new CliError([`${what}, and nothing was done`, ...open.map(standsAt)].join('\n  '), remedy);
  } finally {
    await journal?.close();
  }
}

function standsAt(state: RolloutState): string {
  const held = state.held === null ? '' : `, held: ${state.held.why}`;
  return `by the journal ${state.operation} stands at: ${stageWords(state, state.stage)}${held}`;
}

/** A living controller and the rollout that it runs. */
export type Living = {
  readonly socket: string;
  readonly operation: string;
  readonly status: ControllerAnswer['status'];
};

/**
 * The living controller, if it runs the rollout that is meant (`name`: its own, or its service's); null: none is alive. Needs
 * the state directory alone. Throws CliError, also where it does not answer.
 */
export async function livingController(
  context: Context,
  place: Place,
  name: string | undefined,
): Promise<Living | null> {
  const socket = join(dirname(journalPath(context, place)), 'control.sock');
  const found = await controllerAt(context, socket).catch(async (error: unknown) => {
    throw error instanceof PortError && error.code === 'timeout' ? await silentController(context, place) : error;
  });
  if (found === null) return null;
  const { pid, operation, status } = found;
  if (operation === null)
    throw new CliError(`the controller (pid ${pid}) is between two rollouts`, 'try again in a moment');
  const service = status?.service ?? /^rollout-(.+)-\d+$/.exec(operation)?.[1];
  if (name !== undefined && name !== operation && name !== service)
    throw new CliError(`the controller (pid ${pid}) runs ${operation}, not ${name}`);
  return { socket, operation, status };
}
