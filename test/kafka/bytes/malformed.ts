import { expect } from 'vitest';
import { MalformedBytes } from '../../../src/io/kafka/bytes/malformed.ts';

/** The error that `action` has to end with, by its beginning: what and at which byte. */
export function expectMalformed(action: () => unknown, what: string, at?: number): MalformedBytes {
  const error = errorOf(action);
  expect(error, `${what}: nothing was found wrong`).toBeInstanceOf(MalformedBytes);
  if (!(error instanceof MalformedBytes)) throw error;
  expect({ what: error.what, ...(at === undefined ? {} : { at: error.at }) }, error.message).toEqual({
    what,
    ...(at === undefined ? {} : { at }),
  });
  return error;
}

/** Null if it ended well; anything but `MalformedBytes` escapes. */
export function errorOf(action: () => unknown): MalformedBytes | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
}
