import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { ControllerAnswer } from '../controller/messages.ts';
import { inert } from '../journal/sentences.ts';
import { staleWords } from '../plan/stale-marker.ts';
import { type ExportedState, exportedStates } from './exported-state.ts';
import { takenAtWords } from './outcome.ts';

/** What lies beside a journal and speaks of ways back: exported states and back markers. */
export type Beside = {
  readonly exported: readonly ExportedState[];
  /** Exported states that cannot be understood, a sentence each. */
  readonly problems: readonly string[];
  readonly markers: readonly Marker[];
};
type Marker = { readonly operation: string; readonly text: string };

/** Read it before the journal: whatever a controller exports is in its journal already. */
export async function besideJournal(context: Context, stateDirectory: string): Promise<Beside> {
  const { states, problems } = await exportedStates(stateDirectory);
  const files = await readdir(stateDirectory).catch(() => []);
  const marker = context.world.openMarker(stateDirectory);
  const markers: Marker[] = [];
  for (const file of files.filter((name) => name.endsWith(suffix)).sort()) {
    const operation = file.slice(0, -suffix.length);
    const text = await marker.read(operation).catch((error: unknown) => String(error));
    if (text !== null) markers.push({ operation, text });
  }
  return { exported: states, problems, markers };
}

const suffix = '.back';

/** Whether anything does, of whatever is in it. */
export async function liesBeside(stateDirectory: string): Promise<boolean> {
  const files = await readdir(stateDirectory).catch(() => []);
  return files.some((name) => name.startsWith('rollout-') && (name.endsWith('.json') || name.endsWith(suffix)));
}

/** A rollout that the journal does not have, and of which something is left beside it. */
export type Stray = {
  readonly operation: string;
  /** null: nothing was exported, so that it was not begun, or everything was put back. */
  readonly exported: ExportedState | null;
  /** What its back marker says; null: there is none. */
  readonly marked: string | null;
};

/** `known`: what the journal has, and what a controller runs. */
export function straysOf({ exported, markers }: Beside, known: readonly string[]): readonly Stray[] {
  const names = [...exported, ...markers].map(({ operation }) => operation);
  return [...new Set(names)]
    .filter((operation) => !known.includes(operation))
    .map((operation) => ({
      operation,
      exported: exported.find((one) => one.operation === operation) ?? null,
      marked: markers.find((one) => one.operation === operation)?.text ?? null,
    }));
}

/** What is known of such a rollout, and what can be done. */
export function strayWords(
  { operation, exported, marked }: Stray,
  stateDirectory: string,
  command: (verb: string) => string,
): { readonly what: string; readonly remedy: string } {
  const was =
    exported === null ? 'nothing was exported of it' : `what it exported says that it was ${wordOf(exported)}`;
  const taken = marked === null ? '' : `, and the back marker says that its traffic was taken back: ${inert(marked)}`;
  return {
    what: `${operation} is known by no journal; ${was}${taken}`,
    remedy:
      exported === null
        ? staleWords(stateDirectory, operation)
        : `\`${command('back')} ${operation}\` takes its traffic back without a journal, and prints what puts everything as it was found`,
  };
}

function wordOf({ completed }: ExportedState): string {
  return completed ? 'completed' : 'not finished';
}

/** Its living controller has taken the way back, and cannot write it down; null: it has not, or it is of another rollout. */
export function takenByController(answer: ControllerAnswer | null, operation: string): string | null {
  const back = answer?.operation === operation ? (answer.status?.back ?? null) : null;
  if (answer === null || back === null || back.journalled) return null;
  return `${takenAtWords(back)} by its controller (pid ${answer.pid})`;
}

/** What says that a way back was taken, though its journal does not know it. `isBack` null: nobody has looked at the balancers. */
export function takenWords(taken: string, isBack: boolean | null): string {
  const what = isBack
    ? 'The traffic was taken back'
    : `The way back was taken${isBack === null ? '' : ', and not all of the traffic is back'}`;
  return `${what}, and the journal does not know it: ${taken}.`;
}

/** The files of a rollout in a state directory that would be taken for a later one's of its name. */
export function filesOf(stateDirectory: string, operation: string): readonly string[] {
  return [`${operation}.json`, `${operation}${suffix}`].map((name) => join(stateDirectory, name));
}
