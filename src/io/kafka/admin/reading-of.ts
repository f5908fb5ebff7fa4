import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { PortError } from '../../../engine/ports.ts';

/** What came of it, or why nothing did: for facts without which the rest can be told all the same. */
export async function readingOf<T>(work: () => Promise<T>): Promise<Reading<T>> {
  try {
    return known(await work());
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return unknown(error.message);
  }
}
