import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MalformedBytes } from '../../src/io/kafka/bytes/malformed.ts';
import { goldenSamples } from '../kafka/messages/golden-values.ts';
import { plain, type Sample } from '../kafka/messages/sample.ts';
import { damagedBytes, someDamage } from './damage.ts';
import { expectQuick, runs } from './runs.ts';

const messages = goldenSamples.flatMap((sample) =>
  Array.from({ length: sample.newest - sample.oldest + 1 }, (_, index) => {
    const version = sample.oldest + index;
    return { label: `${sample.name} ${sample.direction} v${version}`, sample, version, bytes: sample.encode(version) };
  }),
);

/** What the decoder makes of it; the only error that may come out is MalformedBytes, and it says where. */
function outcomeOf(sample: Sample, version: number, bytes: Uint8Array): { readonly value: unknown } | MalformedBytes {
  try {
    return { value: sample.decode(version, bytes) };
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    expect(error.at).toBeGreaterThanOrEqual(0);
    expect(error.at).toBeLessThanOrEqual(bytes.length);
    expect(error.message.length).toBeLessThan(70_000);
    return error;
  }
}

/** Whatever was understood is exactly what stands there; only tagged fields that nobody knows are passed over. */
function expectFaithful(sample: Sample, version: number, bytes: Uint8Array): void {
  const outcome = outcomeOf(sample, version, bytes);
  if (outcome instanceof MalformedBytes) return;
  const again = sample.again(version, bytes);
  expect(again.length).toBeLessThanOrEqual(bytes.length);
  if (again.length === bytes.length) expect(Buffer.compare(again, bytes)).toBe(0);
  expect(plain(sample.decode(version, again))).toEqual(plain(outcome.value));
}

describe('messages of a broker that is broken or hostile', () => {
  test.each(messages)('$label, cut at every byte, is malformed', ({ sample, version, bytes }) => {
    for (let length = 0; length < bytes.length; length++)
      expect(outcomeOf(sample, version, bytes.slice(0, length)), `${length} bytes`).toBeInstanceOf(MalformedBytes);
  });

  test.each(messages)('$label with something after it is malformed', ({ sample, version, bytes }) => {
    const longer = Buffer.concat([bytes, Uint8Array.of(0)]);
    expect(outcomeOf(sample, version, longer)).toBeInstanceOf(MalformedBytes);
  });

  test('with any byte at the ends of its range is malformed, or says just that', () => {
    for (const { sample, version, bytes } of messages) {
      for (let at = 0; at < Math.min(bytes.length, 700); at++) {
        for (const value of [0x00, 0x7f, 0x80, 0xff]) {
          const changed = Uint8Array.from(bytes);
          changed[at] = value;
          expectFaithful(sample, version, changed);
        }
      }
    }
  });

  test('with lengths and counts of two thousand millions cost neither time nor memory', () => {
    const before = process.memoryUsage().heapTotal;
    expectQuick(() => {
      for (const { sample, version, bytes } of messages) {
        for (let at = 0; at < Math.min(bytes.length, 700); at++) {
          const changed = Buffer.concat([bytes, new Uint8Array(8)]);
          changed.set([0x7f, 0xff, 0xff, 0xff], at);
          outcomeOf(sample, version, changed);
          changed.set([0xff, 0xff, 0xff, 0xff, 0x0f], at);
          outcomeOf(sample, version, changed);
        }
      }
    });
    expect(process.memoryUsage().heapTotal - before).toBeLessThan(500_000_000);
  });

  test('with a million empty topics in few bytes is quick', () => {
    for (const { sample, version, bytes } of messages) {
      const many = new Uint8Array(bytes.length + 300_000).fill(1);
      many.set(bytes.subarray(0, 40));
      expectQuick(() => outcomeOf(sample, version, many));
    }
  });

  test('damaged anyhow are malformed, or say just what stands there', () => {
    const message = fc.constantFrom(...messages);
    fc.assert(
      fc.property(message, someDamage, ({ sample, version, bytes }, damage) => {
        expectFaithful(sample, version, damagedBytes(Buffer.from(bytes), damage));
      }),
      runs(3000),
    );
  });

  test('of nothing but noise are malformed, or say just what stands there', () => {
    fc.assert(
      fc.property(fc.constantFrom(...messages), fc.uint8Array({ maxLength: 300 }), ({ sample, version }, noise) => {
        expectFaithful(sample, version, noise);
      }),
      runs(2000),
    );
  });
});
