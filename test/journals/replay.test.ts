import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { journalsFolder, type Replay, readJournal, recordedJournals, replay } from './replay.ts';

const names = recordedJournals();

function recorded(name: string): Replay {
  return JSON.parse(readFileSync(join(journalsFolder, `${name}.json`), 'utf8'));
}

describe.each(names)('the recorded journal %s', (name) => {
  test('is what was written', () => {
    const { entries, findings } = readJournal(name);
    expect(findings).toEqual([]);
    expect(entries.length).toBeGreaterThan(30);
  });

  test("folds to the state that it had when it was recorded, by today's rules", () => {
    const today = replay(readJournal(name).entries);
    const then = recorded(name);
    expect(Object.keys(today)).toEqual(Object.keys(then));
    for (const [operation, { path, state }] of Object.entries(then)) {
      expect(today[operation]?.path).toEqual(path);
      // A field of the state that is new since is no other state.
      const known = Object.entries(today[operation]?.state ?? {}).filter(([field]) => field in state);
      expect(Object.fromEntries(known)).toEqual(state);
    }
  });
});

describe('the recorded journals together', () => {
  const ends = names.flatMap((name) => Object.values(recorded(name)));

  test('have a rollout that completed, one that the judge took back, one that was held and went on', () => {
    expect(ends.map(({ state }) => state.back?.cause.kind ?? state.stage.kind)).toEqual(
      expect.arrayContaining(['completed', 'judge', 'asked']),
    );
    expect(ends.some(({ path, state }) => state.stage.kind === 'completed' && isHeld(path))).toBe(true);
    expect(ends.some(({ state }) => state.retired)).toBe(true);
  });

  const kinds = new Set(
    names.flatMap((name) =>
      readJournal(name).entries.flatMap(({ operation, body }) => (operation === 'fleet' ? [] : [body.kind])),
    ),
  );

  test.each([...kinds].sort())('notice a fold that passes over "%s"', (kind) => {
    const unlike = names.filter((name) => {
      const { entries } = readJournal(name);
      return JSON.stringify(outcome(() => replay(entries, kind))) !== JSON.stringify(replay(entries));
    });
    expect(unlike).not.toEqual([]);
  });
});

function isHeld(path: readonly string[]): boolean {
  return path.some((place) => place.endsWith(', held'));
}

function outcome(run: () => Replay): Replay | string {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}
