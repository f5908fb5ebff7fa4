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
      expect(asRecorded(today[operation]?.state, state)).toEqual(state);
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

test('a new field is no other state; another value, a lost field, one more server are', () => {
  const then = { share: 1, judge: { rules: [{ alpha: 1 }] }, servers: { 'a-1': 1 } };
  const isSame = (today: object) => JSON.stringify(asRecorded(today, then)) === JSON.stringify(then);
  expect(isSame({ ...then, invented: 1 })).toBe(true);
  expect(isSame({ ...then, judge: { rules: [{ alpha: 1, since: 2 }], since: 3 } })).toBe(true);
  expect(isSame({ ...then, share: 2 })).toBe(false);
  expect(isSame({ ...then, judge: { rules: [{}] } })).toBe(false);
  expect(isSame({ ...then, judge: { rules: [{ alpha: 1 }, { alpha: 1 }] } })).toBe(false);
  expect(isSame({ ...then, servers: { 'a-1': 1, 'a-2': 1 } })).toBe(false);
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

/** Without the fields that were invented since: they make no other state. Keys of a dictionary (servers, backends, attempts) are no fields. */
function asRecorded(today: unknown, then: unknown): unknown {
  if (Array.isArray(today))
    return today.map((item, index) => asRecorded(item, Array.isArray(then) ? then[index] : null));
  if (!isObject(today) || !isObject(then)) return today;
  const isNewField = (key: string) => !(key in then) && /^[a-z][A-Za-z]*$/.test(key);
  const kept = Object.entries(today).filter(([key]) => !isNewField(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, asRecorded(value, then[key])]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
