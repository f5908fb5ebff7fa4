import { widthOf } from './text.ts';

/** Rows of cells as aligned lines, two spaces between columns; `align` has one letter per column, `l` or `r`. Colours may be in the cells. */
export function table(rows: readonly (readonly string[])[], align: string): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => widthOf(row[at] ?? ''))));
  return rows.map((row) =>
    widths
      .map((width, at) => padded(row[at] ?? '', width, align[at] === 'r'))
      .join('  ')
      .trimEnd(),
  );
}

function padded(cell: string, width: number, right: boolean): string {
  const space = ' '.repeat(width - widthOf(cell));
  return right ? space + cell : cell + space;
}
