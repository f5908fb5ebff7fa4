import { describe, expect, test } from 'vitest';
import { proofPage } from '../../src/cli/kafka/prove/page.ts';
import type { Proof } from '../../src/cli/kafka/prove/result.ts';
import { proofLines } from '../../src/cli/kafka/prove/words.ts';
import { blocks } from '../docs/page.ts';

/** The example of docs/reference/kafka-prove.md, which fits its schema. */
const example = blocks().find(({ page, what }) => page === 'kafka-prove.md' && what === 'example')?.json as Proof;

describe('the page of a proof', () => {
  test('has the verdict, the account of each partition, what was found, and the heads that a machine can check', () => {
    const page = proofPage(example);
    expect(page).toContain('Something is wrong');
    expect(page).toContain('orders-0');
    expect(page).toContain('CHANGED on the target');
    expect(page).toContain('target offsets 300 to 399');
    expect(page).toContain('49,000');
    expect(page).toContain(example.chain.hash);
    expect(page).toContain(example.topics[0]?.partitions[0]?.ledger?.lastHash);
    expect(page).toContain('backups');
  });

  test('is the same for the same proof, and asks for nothing', () => {
    const page = proofPage(example);
    expect(proofPage(example)).toBe(page);
    expect(page).toContain(`default-src &#39;none&#39;`.replaceAll('&#39;', "'"));
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|@import/i);
    expect(page.replace(/http-equiv/g, '')).not.toMatch(/https?:/);
  });

  test('whatever names and reasons are, they are text', () => {
    const hostile = `</td><script>alert(1)</script>\u202e"'&`;
    const text = JSON.stringify(example)
      .replaceAll('"orders"', JSON.stringify(hostile))
      .replaceAll('"ada"', JSON.stringify(hostile))
      .replaceAll('"backups"', JSON.stringify(hostile))
      .replaceAll('"old:9092"', JSON.stringify(hostile));
    const page = proofPage(JSON.parse(text));
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u202e');
    expect(page).toContain('&#60;script');
  });

  test('does not grow without end with what was found', () => {
    const [topic] = example.topics;
    const [partition] = topic?.partitions ?? [];
    const [finding] = partition?.findings ?? [];
    if (topic === undefined || partition === undefined || finding === undefined) throw new Error('no finding');
    const findings = Array(1000).fill(finding);
    const page = proofPage({ ...example, topics: [{ ...topic, partitions: [{ ...partition, findings }] }] });
    expect(page.length).toBeLessThan(200_000);
    expect(page).toContain('And 700 more');
  });
});

describe('what a person reads of a proof', () => {
  test('names each finding with the offsets of both sides, and ends with the verdict and the head of the chain', () => {
    const lines = proofLines(example);
    expect(lines).toContain(
      '    CHANGED on the target: target offsets 300 to 399, source offsets 310 to 409: checksum 0f3c9a11 of 100 records, by the ledger 77ab01de of 100',
    );
    expect(lines).toContain(
      '  orders-0: WRONG: offsets 0 to 49999: 49,000 copied, 500 markers, 500 aborted; 489 of 490 batches read back',
    );
    expect(lines.at(-2)).toContain('WRONG (records)');
    expect(lines.at(-1)).toContain(example.chain.hash);
  });

  test('says proven only where all of it is, and why not where the source is gone', () => {
    const proven = { ...example, verdict: 'proven', data: 'proven' } as const;
    expect(proofLines(proven).join('\n')).toContain('proven: all of it stands on the target');
    const gone = { ...example.source, trouble: 'it cannot be reached' };
    const unprovable = { ...example, verdict: 'unprovable', data: 'unprovable', source: gone } as const;
    const text = proofLines(unprovable).join('\n');
    expect(text).toContain('the source cannot be asked: it cannot be reached');
    expect(text).toContain('nothing is known to be wrong, and not all of it can be proven any more (records)');
  });
});
