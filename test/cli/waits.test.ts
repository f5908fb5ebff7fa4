import { expect, test } from 'vitest';
import { lasting } from '../../src/cli/controller/novelties.ts';

const hung = 'edge/web#2 cannot be read: no answer within 250 ms';
const waitedLonger = 'edge/web#2 cannot be read: 127.0.0.1:9000 did not answer to show stat';

/** What is told of such reasons, one row of them for each second. */
function told(seconds: readonly (readonly string[])[]): string[] {
  let nowMs = 0;
  const waits = lasting({ lastsMs: 3000, againMs: 60_000, overMs: 10_000 }, () => nowMs);
  return seconds.flatMap((texts, second) => {
    nowMs = second * 1000;
    const { fresh, over } = waits(texts);
    return [...fresh.map((text) => `${second} s: ${text}`), ...over.map((text) => `${second} s over: ${text}`)];
  });
}

const seconds = (count: number, ...texts: string[]) => Array.from({ length: count }, () => texts);

test('a reason that lasts is told once, and once when it is over', () => {
  expect(told([...seconds(30, hung), ...seconds(20)])).toEqual([`3 s: ${hung}`, `39 s over: ${hung}`]);
});

test('one that is gone within three seconds is never told, nor that it is over', () => {
  expect(told([...seconds(3, hung), ...seconds(30)])).toEqual([]);
});

test('a balancer that hangs is one reason, though it is waited for longer every twelve seconds, in other words', () => {
  const round = [...seconds(10, hung), ...seconds(1, waitedLonger), ...seconds(1)];
  expect(told([...round, ...round, ...round, ...round])).toEqual([`3 s: ${hung}`]);
});

test('other figures are no other words; other words are told', () => {
  const needs = (able: number) => `step 1 needs 3 destination instances, ${able} are able`;
  const loops = `${needs(0)}; last output: FATAL`;
  expect(told([...seconds(5, needs(0)), ...seconds(5, needs(1)), ...seconds(5, loops)])).toEqual([
    `3 s: ${needs(0)}`,
    `13 s: ${loops}`,
  ]);
});

test('an instance that writes something else every second gives one reason, which is told', () => {
  const loops = (line: string) => `step 1 needs 3; of an instance that does not come up: last output: ${line}`;
  const lines = Array.from({ length: 20 }, (_, second) => [loops(`2026-11-26T09:21:${second + 10}Z still ${second}s`)]);
  expect(told(lines)).toEqual([`3 s: ${lines[3]?.[0]}`]);
});

test('a reason that goes on with more words is not said to be over', () => {
  const needs = 'step 1 needs 1 destination instance, 0 are able';
  const words = `${needs}; of an instance that does not come up: it wrote nothing`;
  expect(told([...seconds(10, needs), ...seconds(30, words)])).toEqual([`3 s: ${needs}`, `13 s: ${words}`]);
});

test('after a long time it is told again, as it is then', () => {
  expect(told(seconds(130, hung))).toEqual([`3 s: ${hung}`, `63 s: ${hung}`, `123 s: ${hung}`]);
});

test('what comes back after it was over is told anew', () => {
  const lines = told([...seconds(5, hung), ...seconds(12), ...seconds(5, hung)]);
  expect(lines).toEqual([`3 s: ${hung}`, `14 s over: ${hung}`, `20 s: ${hung}`]);
});
