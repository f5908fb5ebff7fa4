import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../../src/core/journal/entry.ts';
import { verifyExport } from '../../src/core/journal/export.ts';
import type { Finding } from '../../src/core/journal/finding.ts';
import { fold, type RolloutState } from '../../src/core/rollout/state.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';

/** What the fold makes of one rollout of a journal, as JSON. */
export type Replayed = {
  /** `SEQ STAGE` where the stage or a hold begins or ends, so that a detour to the same end is seen too. */
  readonly path: readonly string[];
  readonly state: RolloutState;
};

/** By operation. */
export type Replay = Readonly<Record<string, Replayed>>;

/** Folds every rollout of an export. `ignored`: entries of this kind are passed over. Throws what the fold throws. */
export function replay(entries: readonly Entry[], ignored: string | null = null): Replay {
  const operations = Map.groupBy(entries, ({ operation }) => operation);
  const rollouts = [...operations].filter(([, chain]) => chain[0]?.body.kind === 'started');
  return JSON.parse(
    JSON.stringify(
      Object.fromEntries(
        rollouts.map(([operation, chain]) => [
          operation,
          follow(
            operation,
            chain.filter(({ body }) => body.kind !== ignored),
          ),
        ]),
      ),
    ),
  );
}

function follow(operation: string, chain: readonly Entry[]): Replayed {
  const path: string[] = [];
  let state: RolloutState | null = null;
  let before = '';
  for (const entry of chain) {
    state = fold(state, entry);
    const place = state === null ? '' : placeOf(state);
    if (place !== before) path.push(`${entry.seq} ${place}`);
    before = place;
  }
  if (state === null) throw new Error(`${operation}: no entry begins it`);
  return { path, state };
}

function placeOf({ stage, held, retired }: RolloutState): string {
  const step = 'step' in stage ? ` ${stage.step}` : '';
  return `${stage.kind}${step}${held === null ? '' : ', held'}${retired ? ', retired' : ''}`;
}

export const journalsFolder = import.meta.dirname;

/** The recorded journals, by name without the ending. */
export function recordedJournals(): string[] {
  return readdirSync(journalsFolder)
    .filter((file) => file.endsWith('.ndjson'))
    .map((file) => file.slice(0, -'.ndjson'.length))
    .sort();
}

export function readJournal(name: string): { readonly entries: Entry[]; readonly findings: readonly Finding[] } {
  const text = readFileSync(join(journalsFolder, `${name}.ndjson`), 'utf8');
  return verifyExport(text.split('\n'), sha256);
}
