/**
 * A name that both patterns match (`*` any text, `?` one character), or null. Time and memory are the product of their
 * lengths: `table` holds, for each pair of positions, whether the rests have a name in common.
 */
export function commonName(a: string, b: string): string | null {
  const table = compareRests(a, b);
  if (!table.share(0, 0)) return null;
  let name = '';
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (a[i] === '*' && table.share(i + 1, j)) i += 1;
    else if (b[j] === '*' && table.share(i, j + 1)) j += 1;
    else {
      name += letterFor(a[i], b[j]);
      if (a[i] !== '*') i += 1;
      if (b[j] !== '*') j += 1;
    }
  }
  return name;
}

type Table = { share(i: number, j: number): boolean };

function compareRests(a: string, b: string): Table {
  const width = b.length + 1;
  const cells = new Uint8Array((a.length + 1) * width);
  const share = (i: number, j: number): boolean => i <= a.length && j <= b.length && cells[i * width + j] === 1;
  for (let i = a.length; i >= 0; i--) {
    for (let j = b.length; j >= 0; j--) {
      const both = i === a.length && j === b.length;
      const skip = (a[i] === '*' && share(i + 1, j)) || (b[j] === '*' && share(i, j + 1));
      const take = fits(a[i], b[j]) && share(a[i] === '*' ? i : i + 1, b[j] === '*' ? j : j + 1);
      cells[i * width + j] = both || skip || take ? 1 : 0;
    }
  }
  return { share };
}

/** Whether one character can stand for both. Two stars are left by skipping one of them. */
function fits(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined || (left === '*' && right === '*')) return false;
  return left === right || left === '*' || left === '?' || right === '*' || right === '?';
}

function letterFor(left: string | undefined, right: string | undefined): string {
  const literal = [left, right].find((symbol) => symbol !== undefined && symbol !== '*' && symbol !== '?');
  return literal ?? 'x';
}
