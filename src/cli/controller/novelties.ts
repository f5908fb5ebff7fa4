/** What is there now and was not the time before. The same with other figures is not new. */
export function novelties(): (texts: readonly string[]) => readonly string[] {
  let before: ReadonlySet<string> = new Set();
  return (texts) => {
    const fresh = texts.filter((text) => !before.has(keyOf(text)));
    before = new Set(texts.map(keyOf));
    return fresh;
  };
}

/** The same for what only matters when it lasts: told once it has been there for `ms`. */
export function lasting(ms: number, now: () => number): (texts: readonly string[]) => readonly string[] {
  let since: ReadonlyMap<string, number> = new Map();
  const fresh = novelties();
  return (texts) => {
    since = new Map(texts.map((text) => [keyOf(text), since.get(keyOf(text)) ?? now()]));
    return fresh(texts.filter((text) => now() - (since.get(keyOf(text)) ?? now()) >= ms));
  };
}

/** Numbers that are part of a name stay. */
function keyOf(text: string): string {
  return text.replace(/(?<![\w#./-])\d+(\.\d+)?(?![\w-])/g, '#');
}
