import { describe, expect, test } from 'vitest';
import { type CopyWords, copyOptions } from '../../src/cli/kafka/copy/options.ts';

const nowMs = Date.parse('2026-03-10T12:00:00Z');
const words: CopyWords = {
  source: 'old:9092',
  target: 'new:9092',
  topics: 'orders',
  from: 'earliest',
  order: 'retention',
  diskFloor: '5%',
  offsets: 'mapped',
  wait: '10m',
};

describe('the options of a copy', () => {
  test('outside loopback somebody has to say how fast it may go', () => {
    expect(() => copyOptions(words, nowMs)).toThrow('how fast may it go?');
    expect(copyOptions({ ...words, unlimited: true }, nowMs).rate).toBeNull();
    const local = { ...words, source: '127.0.0.5:9092,localhost:1', target: '[::1]:9092' };
    expect(copyOptions(local, nowMs).rate).toBeNull();
    expect(() => copyOptions({ ...local, target: '[::1]:9092,new:9092' }, nowMs)).toThrow('how fast may it go?');
    expect(() => copyOptions({ ...words, unlimited: true, maxRate: '1MB/s' }, nowMs)).toThrow('exclude each other');
  });

  test.each([
    ['60MB/s', 60_000_000],
    ['500kB/s', 500_000],
    ['1.5GB/s', 1_500_000_000],
    ['64MiB/s', 67_108_864],
  ])('a rate of %s is taken', (maxRate, rate) => {
    expect(copyOptions({ ...words, maxRate }, nowMs).rate).toBe(rate);
  });

  test.each(['60', '60MB', '60Mb/s', '0MB/s', '9kB/s', '-1MB/s', 'fast'])('a rate of %s is not', (maxRate) => {
    expect(() => copyOptions({ ...words, maxRate }, nowMs)).toThrow(`--max-rate: "${maxRate}" is no rate`);
  });

  test('a beginning is a word, a time, or how long ago', () => {
    const from = (text: string) => copyOptions({ ...words, unlimited: true, from: text }, nowMs).from;
    expect(from('latest')).toEqual({ kind: 'latest' });
    expect(from('-72h')).toEqual({ kind: 'time', ms: nowMs - 72 * 3_600_000 });
    expect(from('2026-03-01T12:00:00Z')).toEqual({ kind: 'time', ms: Date.parse('2026-03-01T12:00:00Z') });
    for (const text of ['yesterday', '72h', '-72', '2026-13-01', '12'])
      expect(() => from(text), text).toThrow('--from:');
  });

  test('names fit as a whole; what is wrong with an expression is told of what was typed; __ is never chosen', () => {
    const chosen = (topics: string, exclude?: string) =>
      copyOptions({ ...words, unlimited: true, topics, ...(exclude === undefined ? {} : { exclude }) }, nowMs).isChosen;
    const names = ['orders', 'orders-2', 'clicks.eu', '__consumer_offsets'];
    expect(names.filter(chosen('orders|clicks\\..*'))).toEqual(['orders', 'clicks.eu']);
    expect(names.filter(chosen('.*', 'orders.*'))).toEqual(['clicks.eu']);
    // Nothing that is typed gets out of the anchors.
    expect(() => chosen('a)|(?:b')).toThrow('--topics');
    expect(() => chosen('orders(')).toThrow('/orders(/u');
  });

  test.each([
    ['wait', 'soon'],
    ['replicationFactor', '0'],
    ['source', 'old'],
  ] as const)('%s as "%s" is refused', (key, value) => {
    expect(() => copyOptions({ ...words, [key]: value }, nowMs)).toThrow();
  });
});
