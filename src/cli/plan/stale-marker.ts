import { join } from 'node:path';
import type { Context } from '../context.ts';

/**
 * Where a journal was removed and its markers were not, a new rollout would be taken back by the way back of the old one that had
 * its name: what lies there, and what to do. null: nothing does.
 */
export async function staleMarker(
  context: Context,
  stateDirectory: string,
  operation: string,
): Promise<{ readonly what: string; readonly remedy: string } | null> {
  const marked = await context.world.openMarker(stateDirectory).read(operation);
  if (marked === null) return null;
  return {
    what: `a back marker lies there for ${operation}, which this journal has not begun (${marked}): it would be taken back at once`,
    remedy: staleWords(stateDirectory, operation),
  };
}

export function staleWords(stateDirectory: string, operation: string): string {
  const file = join(stateDirectory, `${operation}.back`);
  return `it is of an earlier journal: see that nothing of that rollout stands, and remove ${file}`;
}
