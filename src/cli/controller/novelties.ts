import { lastOutput } from '../../core/rollout/last-words.ts';

/** What is there now and was not the time before. The same with other figures is not new. */
export function novelties(): (texts: readonly string[]) => readonly string[] {
  let before: ReadonlySet<string> = new Set();
  return (texts) => {
    const fresh = texts.filter((text) => !before.has(keyOf(text)));
    before = new Set(texts.map(keyOf));
    return fresh;
  };
}

/** What a text has to last until it is told, how long it is told only once, and how long it has to be away until it is over. */
export type Lasting = { readonly lastsMs: number; readonly againMs: number; readonly overMs: number };

/**
 * The same for what only matters when it lasts. One cause may say something else for a moment, as a balancer that hangs does when
 * it is waited for longer: so what was told and comes back soon is neither new nor over.
 */
export function lasting(
  { lastsMs, againMs, overMs }: Lasting,
  now: () => number,
): (texts: readonly string[]) => { readonly fresh: readonly string[]; readonly over: readonly string[] } {
  const rows = new Map<string, { text: string; readonly sinceMs: number; seenMs: number; toldMs: number | null }>();
  return (texts) => {
    const nowMs = now();
    const over: string[] = [];
    for (const [key, { text, seenMs, toldMs }] of rows) {
      if (texts.some((one) => keyOf(one) === key) || nowMs - seenMs < (toldMs === null ? lastsMs : overMs)) continue;
      rows.delete(key);
      // One that goes on with more words is not over.
      if (toldMs !== null && !texts.some((one) => keyOf(one).startsWith(key))) over.push(text);
    }
    const fresh = texts.filter((text) => {
      const row = rows.get(keyOf(text)) ?? { text, sinceMs: nowMs, seenMs: nowMs, toldMs: null };
      rows.set(keyOf(text), row);
      row.seenMs = nowMs;
      const isDue = row.toldMs === null ? nowMs - row.sinceMs >= lastsMs : nowMs - row.toldMs >= againMs;
      if (isDue) Object.assign(row, { text, toldMs: nowMs });
      return isDue;
    });
    return { fresh, over };
  };
}

/** Numbers that are part of a name stay. What an instance writes may be another line every second, and be the same reason. */
export function keyOf(text: string): string {
  const end = text.indexOf(lastOutput);
  return text
    .slice(0, end === -1 ? text.length : end + lastOutput.length)
    .replace(/(?<![\w#./-])\d+(\.\d+)?(?![\w-])/g, '#');
}
