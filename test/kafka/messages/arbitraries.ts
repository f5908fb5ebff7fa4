import fc from 'fast-check';
import type { Api } from '../../../src/io/kafka/messages/api.ts';
import { wholeOf } from '../../../src/io/kafka/messages/byte-range.ts';
import type { Isolation } from '../../../src/io/kafka/messages/isolation.ts';
import { requestSample, responseSample, type Sample } from './sample.ts';

/** Any message of any version, with values at and around all limits; what a version cannot carry is what its reader returns. */
export type AnyMessage = { readonly sample: Sample; readonly version: number };

export const int8 = fc.integer({ min: -0x80, max: 0x7f });
export const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
export const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
export const count = fc.integer({ min: 0, max: 0x7fff_ffff });
export const countOrNull = fc.option(count);
export const int64 = fc.maxSafeInteger();
export const offset = fc.maxSafeNat();
export const offsetOrNull = fc.option(offset);
export const producerId = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'ä', '\ufeffx', 'x'.repeat(3000)),
);
export const textOrNull = fc.option(text);
export const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom(4095, 4096, 70_000).map((length) => new Uint8Array(length)),
  )
  .map(wholeOf);
export const isolation = fc.constantFrom<Isolation>('read_committed', 'read_uncommitted');
export const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((all) => all.some((byte) => byte !== 0))
  .map((all) => Buffer.from(all).toString('base64url'));

export function some<T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(one, { maxLength: 4 });
}

export function byTopic<T>(partition: fc.Arbitrary<T>): fc.Arbitrary<{ topic: string; partitions: T[] }[]> {
  return some(fc.record({ topic: text, partitions: some(partition) }));
}

export const features = some(fc.record({ name: text, least: int16, most: int16 }));
export const rangesOfApis = some(fc.record({ apiKey: int16, oldest: int16, newest: int16 }));

export function requests<Q, R>(
  api: Api<Q, R>,
  valueIn: (version: number) => fc.Arbitrary<Q>,
): fc.Arbitrary<AnyMessage> {
  return versions(api).chain((version) =>
    valueIn(version).map((value) => ({ version, sample: requestSample(api.name, api, () => value) })),
  );
}

export function responses<Q, R>(
  api: Api<Q, R>,
  valueIn: (version: number) => fc.Arbitrary<R>,
): fc.Arbitrary<AnyMessage> {
  return versions(api).chain((version) =>
    valueIn(version).map((value) => ({ version, sample: responseSample(api.name, api, () => value) })),
  );
}

function versions(api: { readonly oldest: number; readonly newest: number }): fc.Arbitrary<number> {
  return fc.integer({ min: api.oldest, max: api.newest });
}
