/** Whether `text` matches `pattern`, in which `*` stands for any run of characters and `?` for one. Linear, so that a hostile pattern costs nothing. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let p = 0;
  let star = -1;
  let retry = 0;
  while (at < text.length) {
    const symbol = pattern[p];
    if (symbol === '*') {
      star = p++;
      retry = at;
    } else if (symbol === '?' || symbol === text[at]) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
