import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyAdminMessage } from './any-admin-message.ts';
import { anyMessage } from './any-message.ts';
import type { AnyMessage } from './arbitraries.ts';
import { plain } from './sample.ts';

describe('a message that was written', () => {
  test.each([
    ['of data', anyMessage],
    ['of administration', anyAdminMessage],
  ] as const)('%s is read as it was, whatever is in it', (_, message: fc.Arbitrary<AnyMessage>) => {
    fc.assert(
      fc.property(message, ({ sample, version }) => {
        expect(plain(sample.decode(version, sample.encode(version)))).toEqual(plain(sample.value(version)));
      }),
      { numRuns: 600 },
    );
  });
});
