import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyMessage } from './any-message.ts';
import { plain } from './sample.ts';

describe('a message that was written', () => {
  test('is read as it was, whatever is in it', () => {
    fc.assert(
      fc.property(anyMessage, ({ sample, version }) => {
        expect(plain(sample.decode(version, sample.encode(version)))).toEqual(plain(sample.value(version)));
      }),
      { numRuns: 600 },
    );
  });
});
