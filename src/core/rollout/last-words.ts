import type { GroupReading, InstanceReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';

/** What a provider says itself begins so; everything else is the instance's own. */
const remarkOf = 'drover: ';
const ownLinesMax = 3;

/**
 * `last output: …` with the last lines that an instance wrote, and then the last thing that its provider has to say;
 * that alone where the instance wrote nothing, so that it is not taken for its output. null: neither said anything.
 */
export function lastWords({ lastOutput }: InstanceReading): string | null {
  const own = lastOutput.filter((line) => !line.startsWith(remarkOf)).slice(-ownLinesMax);
  const remark = lastOutput.filter((line) => line.startsWith(remarkOf)).at(-1);
  const said = remark?.slice(remarkOf.length) ?? null;
  if (own.length === 0) return said;
  return `last output: ${own.join(' / ')}${said === null ? '' : ` (${said})`}`;
}

/** Of the first instance that does not come up; null: there is none, or nothing is known. */
export function lastWordsOf(group: Reading<GroupReading>): string | null {
  return firstWords(group, ({ state }) => state !== 'healthy');
}

/** Of the first instance that has failed: not of one that starts for the first time. null: as above. */
export function failedWordsOf(group: Reading<GroupReading>): string | null {
  return firstWords(group, ({ state, restarts }) =>
    state === 'starting' ? restarts > 0 : state === 'unhealthy' || state === 'crash-looping',
  );
}

function firstWords(group: Reading<GroupReading>, isAsked: (instance: InstanceReading) => boolean): string | null {
  if (!group.known) return null;
  for (const instance of group.value.instances) {
    const words = isAsked(instance) ? lastWords(instance) : null;
    if (words !== null) return words;
  }
  return null;
}
