import { join } from 'node:path';
import type { Fate } from './points.ts';

/** What is otherwise in the world of a command that a test runs by `controllerEntry`. */
export type Changes = {
  /** Where it writes down what it does to the journal and to the world, and what becomes of it at one of these points. */
  readonly points?: { readonly log: string; readonly fate?: Fate };
  /** It listens for operators at a socket of this name, so that it does not see another controller of the same journal. */
  readonly desk?: string;
  /** A file with the milliseconds by which the wall clock is moved. */
  readonly clock?: string;
};

export const controllerEntry = join(import.meta.dirname, 'controller.ts');

export function changed(changes: Changes): { readonly env: Readonly<Record<string, string>> } {
  return { env: { CHANGES: JSON.stringify(changes) } };
}
