import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CliError } from '../../src/cli/context.ts';
import { foldAll } from '../../src/cli/journal/history.ts';
import { sentenceOf } from '../../src/cli/journal/sentences.ts';
import { canonicalJson } from '../../src/core/journal/canonical.ts';
import type { Entry } from '../../src/core/journal/entry.ts';
import { verifyExport } from '../../src/core/journal/export.ts';
import { sampleReferences } from '../../src/core/journal/samples.ts';
import { verifyChain } from '../../src/core/journal/verify.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { anchored, chainOf, forged, linesOf } from '../journal/written.ts';
import { at, cut, damagedText, place, someDamage } from './damage.ts';
import { damagedJson, jsonDamage } from './json.ts';
import { expectQuick, runs } from './runs.ts';

const folder = join(import.meta.dirname, '..', 'journals');
const recorded = readdirSync(folder)
  .filter((name) => name.endsWith('.ndjson'))
  .map((name) => readFileSync(join(folder, name), 'utf8'));
const entriesOf = (text: string): Entry[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Entry => JSON.parse(line));
const rollouts = recorded.map((text) => entriesOf(text).filter(({ operation }) => operation !== 'fleet'));

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

describe('recorded journals, damaged', () => {
  test('are whole as recorded', () => {
    for (const text of recorded) expect(verifyExport(text.split('\n'), sha256).findings).toEqual([]);
    for (const entries of rollouts) expect(foldAll(entries, sha256)).not.toBeNull();
  });

  test('property: an export that is cut or damaged is never without a finding', () => {
    let damaged = 0;
    fc.assert(
      fc.property(fc.nat(recorded.length - 1), place, fc.option(someDamage), (which, where, damage) => {
        const text = recorded[which] ?? '';
        // A few lines, so that a run is short; cut, damaged, or both.
        const lines = text.split('\n');
        const start = at(where, lines.length - 1);
        const part = lines.slice(start, start + 4).join('\n');
        const changed = damage === null ? cut(part, where) : damagedText(part, damage);
        const all = [...lines.slice(0, start), ...changed.split('\n'), ...lines.slice(start + 4)];
        if (all.join('\n') === text) return;
        damaged += 1;
        const { findings } = verifyExport(all, sha256);
        // The end of the fleet's own chain is what only a head kept elsewhere shows.
        if (all.length >= lines.length) expect(findings).not.toEqual([]);
        for (const { message } of findings) expect(message.length).toBeLessThan(20_000);
      }),
      runs(200),
    );
    expect(damaged).toBeGreaterThan(100);
  });

  test('property: an entry that was changed is folded by nobody', () => {
    fc.assert(
      fc.property(fc.nat(rollouts.length - 1), place, jsonDamage, (which, where, damage) => {
        const entries = rollouts[which] ?? [];
        const index = at(where, entries.length);
        const changed = parsedOr(damagedJson(entries[index], damage));
        // As a store gives them: these fields and no others, whatever they say.
        const original = Object.entries(entries[index] ?? {});
        const fields = typeof changed === 'object' && changed !== null ? new Map(Object.entries(changed)) : new Map();
        const entry = Object.fromEntries(
          original.map(([key, value]) => [key, fields.has(key) ? fields.get(key) : value]),
        );
        fc.pre(canonical(entry) !== canonical(entries[index]));
        expect(() => foldAll(entries.with(index, entry as Entry), sha256)).toThrow(CliError);
      }),
      runs(300),
    );
  });

  test('property: whoever makes hashes anew makes a state, or one sentence of an error', () => {
    fc.assert(
      fc.property(fc.nat(rollouts.length - 1), place, jsonDamage, (which, where, damage) => {
        const entries = rollouts[which] ?? [];
        const index = at(where, entries.length);
        const body = parsedOr(damagedJson(entries[index]?.body, damage));
        fc.pre(typeof body === 'object' && body !== null && 'kind' in body && typeof body.kind === 'string');
        let chain: Entry[];
        try {
          chain = resealed(entries.slice(0, index + 1), { ...body, kind: body.kind });
        } catch {
          // What JSON cannot carry was never sealed.
          return;
        }
        expect(sentenceOf(body as Entry['body'])).not.toMatch(/\p{Cc}/u);
        expect(sampleReferences(chain).every(({ block }) => typeof block === 'string')).toBe(true);
        try {
          foldAll(chain, sha256);
        } catch (error) {
          expect(error).toBeInstanceOf(CliError);
        }
      }),
      runs(300),
    );
  });
});

function canonical(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch {
    return 'never sealed';
  }
}

function resealed(entries: readonly Entry[], body: Entry['body']): Entry[] {
  const last = entries.at(-1);
  return last === undefined ? [] : [...entries.slice(0, -1), forged(last, { body })];
}

describe('any lines as an export', () => {
  const entry = chainOf('op', 3)[1];
  test('property: give findings and no error, however they are nested, named or numbered', () => {
    const line = fc.oneof(
      jsonDamage.map((damage) => damagedJson(entry, damage)),
      fc.json({ maxDepth: 3 }),
      fc.constantFrom('', 'null', '{}', `${'['.repeat(100_000)}`, `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const { entries, findings } = verifyExport([...lines, ''], sha256);
        for (const { operation, seq } of entries)
          expect(typeof operation === 'string' && Number.isSafeInteger(seq)).toBe(true);
        if (lines.length > 0) expect(findings.length).toBeGreaterThan(0);
      }),
      runs(500),
    );
  });

  test.each([
    ['lines that are none', () => Array.from({ length: 200_000 }, () => 'x')],
    ['copies of one entry', () => Array.from({ length: 30_000 }, () => linesOf(chainOf('op', 1))[0] ?? '')],
    [
      'copies of two entries',
      () => {
        const [one = '', two = ''] = linesOf(chainOf('op', 2));
        return Array.from({ length: 30_000 }, (_, index) => (index % 2 === 0 ? one : two));
      },
    ],
    ['anchors of one entry', () => linesOf(manyAnchors(() => 1)).slice(0, -1)],
    ['anchors of entries that are not there', () => linesOf(manyAnchors((index) => index * 2 + 1)).slice(0, -1)],
  ])('made of %s take time in proportion', (_, make) => {
    const lines = make();
    const { findings } = expectQuick(() => verifyExport([...lines, ''], sha256));
    expect(findings.length).toBeGreaterThan(0);
  });

  test('a chain of six weeks of checkpoints is verified', () => {
    const entries = anchored([chainOf('op', 130_000)]);
    expect(expectQuick(() => verifyChain(entries, sha256))).toEqual([]);
  });
});

function manyAnchors(seqOf: (index: number) => number): Entry[] {
  const entry = chainOf('op', 1);
  const events = Array.from({ length: 15_000 }, (_, index) => ({ ...entry[0], seq: seqOf(index) }));
  const chains = events.map(({ seq }) => [{ ...(entry[0] as Entry), seq, hash: 'f'.repeat(64) }]);
  return anchored(chains)
    .filter(({ operation }) => operation === 'fleet')
    .concat(entry);
}

test('an entry that is nested deeper than anything that was written is told, too', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
  expect(sentenceOf({ kind: 'strange', deep } as Entry['body'])).toContain('nested too deeply');
});
