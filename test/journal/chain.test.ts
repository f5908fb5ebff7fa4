import { describe, expect, test } from 'vitest';
import { seal } from '../../src/core/journal/chain.ts';
import { type Entry, emptyHead } from '../../src/core/journal/entry.ts';
import { verifyChain, verifyHead } from '../../src/core/journal/verify.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { anchored, chainOf, draft, forged, headOf } from './written.ts';

const chain = chainOf('rollout-query-1', 20);
const messages = (entries: readonly Entry[]) => verifyChain(entries, sha256).map((finding) => finding.message);
const at = (seq: number): Entry => {
  const entry = chain[seq - 1];
  if (entry === undefined) throw new Error(`no entry ${seq}`);
  return entry;
};
const replace = (seq: number, change: (entry: Entry) => Entry) =>
  chain.map((entry) => (entry.seq === seq ? change(entry) : entry));

describe('sealing', () => {
  test('numbers and links entries behind a head, and tells the next head', () => {
    const first = seal(emptyHead('op'), [draft({ kind: 'a' }), draft({ kind: 'b' })], sha256);
    const second = seal(first.head, [draft({ kind: 'c' })], sha256);
    expect([...first.entries, ...second.entries].map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(first.entries[0]?.previous).toBe('0'.repeat(64));
    expect(second.entries[0]?.previous).toBe(first.head.hash);
    expect(seal(first.head, [], sha256)).toEqual({ entries: [], head: first.head });
  });

  test('gives the hash of a known entry, for ever', () => {
    const { head } = seal(emptyHead('op'), [{ body: { kind: 'a' }, actor: 'x', atMs: 1, rules: 1 }], sha256);
    const zeros = '0'.repeat(64);
    const text = `{"actor":"x","atMs":1,"body":{"kind":"a"},"operation":"op","previous":"${zeros}","rules":1,"seq":1}`;
    expect(head.hash).toBe(sha256(text));
    expect(head.hash).toBe('76f9c56a526df3d78233388e97d0000342febfdd29ee46806a461ca9e4856c35');
  });

  test('refuses what a journal cannot hold, and says where it is', () => {
    expect(() => seal(emptyHead('op'), [draft({ kind: 'a', share: Number.NaN })], sha256)).toThrow('$.body.share');
    expect(() => seal(emptyHead('op'), [draft({ kind: 'a' }, 0.5)], sha256)).toThrow('whole milliseconds');
  });
});

describe('verifying one chain', () => {
  test('finds nothing in what was written', () => {
    expect(messages(chain)).toEqual([]);
    expect(messages([])).toEqual([]);
    expect(messages(anchored([chain, chainOf('rollout-front-1', 3)]))).toEqual([]);
  });

  test('names an entry whose content was changed, with both hashes', () => {
    const found = messages(replace(17, (entry) => ({ ...entry, actor: 'mallory' })));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^operation rollout-query-1, entry 17: its content was changed after it was written \(hash [0-9a-f]{12}…, expected [0-9a-f]{12}…\)$/,
    );
    expect(found[0]).toContain(`expected ${at(17).hash.slice(0, 12)}`);
  });

  test('names an entry whose hash was changed', () => {
    const found = messages(replace(17, (entry) => ({ ...entry, hash: 'f'.repeat(64) })));
    expect(found).toEqual([
      `operation rollout-query-1, entry 17: its hash was changed after it was written (hash ffffffffffff…, expected ${at(17).hash.slice(0, 12)}…)`,
    ]);
  });

  test('recognises an entry that claims another number or operation by the links to it', () => {
    const [renumbered] = messages(replace(17, (entry) => ({ ...entry, seq: 1_000_000 })));
    expect(renumbered).toContain('operation rollout-query-1, entry 17: its content was changed');
    expect(renumbered).toContain('it now says that it is operation rollout-query-1, entry 1000000');
    const last = messages(replace(20, (entry) => ({ ...entry, operation: 'rollout-front-9' })));
    expect(last).toHaveLength(1);
    expect(last[0]).toContain('operation rollout-query-1, entry 20: its content was changed');
    expect(last[0]).toContain('it now says that it is operation rollout-front-9, entry 20');
  });

  test('names an entry that was replaced together with its hash', () => {
    const found = messages(replace(17, (entry) => forged(entry, { actor: 'mallory' })));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('operation rollout-query-1, entry 17: another entry was put in its place');
  });

  test('names the newer of two entries that do not fit where nothing vouches for either', () => {
    const found = messages(replace(20, (entry) => forged(entry, { previous: 'a'.repeat(64) })));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('operation rollout-query-1, entry 20: it does not follow entry 19');
  });

  test('names entries that were removed: one, several, the first, all but the last', () => {
    const without = (...seqs: number[]) => messages(chain.filter(({ seq }) => !seqs.includes(seq)));
    expect(without(17)).toEqual(['operation rollout-query-1, entry 17: it was removed']);
    expect(without(3, 4, 5, 9)).toEqual([
      'operation rollout-query-1, entries 3 to 5: they were removed',
      'operation rollout-query-1, entry 9: it was removed',
    ]);
    expect(without(1)).toEqual(['operation rollout-query-1, entry 1: it was removed']);
    expect(messages([at(20)])).toEqual(['operation rollout-query-1, entries 1 to 19: they were removed']);
  });

  test('names an entry that is there twice, and one that was pushed in', () => {
    expect(messages([...chain.slice(0, 17), at(17), ...chain.slice(17)])).toEqual([
      'operation rollout-query-1, entry 17: inserted afterwards (it is there more than once)',
    ]);
    const pushed = forged(at(17), { actor: 'mallory' });
    for (const entries of [
      [...chain.slice(0, 16), pushed, ...chain.slice(16)],
      [...chain, pushed],
    ]) {
      const found = messages(entries);
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(
        `operation rollout-query-1, entry 17: inserted afterwards (hash ${pushed.hash.slice(0, 12)}…`,
      );
    }
    const [zero] = messages([forged(at(1), { seq: 0 }), ...chain]);
    expect(zero).toContain('inserted: entries are numbered from 1');
  });

  test('names the one entry that was moved, not those it was moved past', () => {
    const rest = chain.filter(({ seq }) => seq !== 5);
    expect(messages([...rest.slice(0, 15), at(5), ...rest.slice(15)])).toEqual([
      'operation rollout-query-1, entry 5: moved: it does not stand in its place',
    ]);
  });

  test('names each of several things at once', () => {
    const tampered = replace(9, (entry) => ({ ...entry, rules: 2 })).filter(({ seq }) => seq !== 4);
    const found = messages([...tampered.slice(0, 11), forged(at(13), { atMs: 5 }), ...tampered.slice(11)]);
    expect(found.map((message) => message.replace(/ \(.*/, ''))).toEqual([
      'operation rollout-query-1, entry 4: it was removed',
      'operation rollout-query-1, entry 9: its content was changed after it was written',
      'operation rollout-query-1, entry 13: inserted afterwards',
    ]);
  });

  test('answers at once about an entry with an absurd number', () => {
    const [removed] = messages([...chain, forged(at(20), { seq: Number.MAX_SAFE_INTEGER })]);
    expect(removed).toContain('entries 21 to 9007199254740990: they were removed');
  });
});

describe('the fleet chain', () => {
  const journal = anchored([chain, chainOf('rollout-front-1', 3)]);

  test('makes a cut tail and a missing chain visible', () => {
    expect(messages(journal.filter(({ seq }) => seq <= 18))).toEqual([
      'operation rollout-query-1, entries 19 to 20: they were removed (operation fleet, entry 2 anchors entry 20)',
    ]);
    expect(messages(journal.filter(({ operation }) => operation !== 'rollout-front-1'))).toEqual([
      'operation rollout-front-1, entries 1 to 3: they were removed (operation fleet, entry 3 anchors entry 1)',
    ]);
  });

  test('names a chain that was written anew as a whole', () => {
    const other = seal(
      emptyHead('rollout-front-1'),
      [draft({ kind: 'x' }), draft({ kind: 'y' }), draft({ kind: 'z' })],
      sha256,
    );
    const found = messages([...journal.filter(({ operation }) => operation !== 'rollout-front-1'), ...other.entries]);
    expect(found).toHaveLength(2);
    expect(found[0]).toContain('operation rollout-front-1, entry 1: it is not the one that the fleet chain anchors');
    expect(found[1]).toContain('operation rollout-front-1, entry 3: it is not the one that the fleet chain anchors');
    expect(found[1]).toContain('operation fleet, entry 4 says');
  });

  test('names an edited anchor once, as an edited entry', () => {
    const found = messages(
      journal.map((entry) =>
        entry.operation === 'fleet' && entry.seq === 2 ? { ...entry, body: { ...entry.body, seq: 7 } } : entry,
      ),
    );
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('operation fleet, entry 2: its content was changed');
  });
});

describe('a head kept elsewhere', () => {
  test('shows a cut tail and a journal written anew, and nothing else', () => {
    const { hash } = headOf(chain);
    expect(verifyChain(chain.slice(0, 15), sha256)).toEqual([]);
    expect(verifyHead(chain.slice(0, 15), hash)?.message).toContain('the end of a chain was cut off');
    expect(verifyHead(chain, hash)).toBeNull();
    expect(verifyHead(chain, at(12).hash)).toBeNull();
    expect(verifyHead(chain, hash.slice(0, 16))).toBeNull();
  });
});
