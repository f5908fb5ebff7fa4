import type { GroupReading, InstanceReading } from '../observed/group.ts';
import type { Reading } from '../observed/reading.ts';

/** What a provider says itself begins so; everything else is the instance's own. */
const remarkOf = 'drover: ';
const ownLinesMax = 3;

export const lastOutput = 'last output: ';

/** One that starts for the first time is not asked for words before it has had this long. */
const firstStartMs = 10_000;

/**
 * `last output: …` with the last lines that an instance wrote, and then the last thing that its provider has to say;
 * that alone where the instance wrote nothing, so that it is not taken for its output. null: neither said anything.
 */
export function lastWords({ lastOutput: lines }: InstanceReading): string | null {
  const own = lines.filter((line) => !line.startsWith(remarkOf)).slice(-ownLinesMax);
  const remark = lines.filter((line) => line.startsWith(remarkOf)).at(-1);
  const said = remark?.slice(remarkOf.length) ?? null;
  if (own.length === 0) return said;
  return `${lastOutput}${own.join(' / ')}${said === null ? '' : ` (${said})`}`;
}

/** Of the first instance that does not come up; null: there is none, or nothing is known. */
export function lastWordsOf(group: Reading<GroupReading>): string | null {
  return firstWords(group, ({ state }) => state !== 'healthy');
}

/**
 * As words to append: of the first instance that has failed, or whose first start takes its time, and that there is one also where
 * none says anything. Empty: there is none, or nothing is known.
 */
export function failedWordsOf(group: Reading<GroupReading>, nowMs: number): string {
  const hasFailed = ({ state, restarts, startedAtMs }: InstanceReading) =>
    state === 'starting'
      ? restarts > 0 || nowMs - startedAtMs >= firstStartMs
      : state === 'unhealthy' || state === 'crash-looping';
  const isAny = group.known && group.value.instances.some(hasFailed);
  return unraisedWords(isAny ? (firstWords(group, hasFailed) ?? wroteNothing) : null);
}

/** Of the first instance that fails its check or ends again and again; null: there is none, or nothing is known. */
export function downWordsOf(group: Reading<GroupReading>): string | null {
  const isDown = ({ state }: InstanceReading) => state === 'unhealthy' || state === 'crash-looping';
  return group.known && group.value.instances.some(isDown) ? (firstWords(group, isDown) ?? wroteNothing) : null;
}

export function unraisedWords(last: string | null): string {
  return last === null ? '' : `; of an instance that does not come up: ${last}`;
}

export const wroteNothing = 'it wrote nothing';

function firstWords(group: Reading<GroupReading>, isAsked: (instance: InstanceReading) => boolean): string | null {
  if (!group.known) return null;
  for (const instance of group.value.instances) {
    const words = isAsked(instance) ? lastWords(instance) : null;
    if (words !== null) return words;
  }
  return null;
}
