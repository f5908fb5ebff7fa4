import type { Context } from '../context.ts';

/** Columns to write into: those of the terminal (80 where it says none), and 120 where there is no terminal. */
export function columnsOf({ stdout }: Pick<Context, 'stdout'>): number {
  if (stdout.terminal === null) return 120;
  return stdout.terminal.columns > 0 ? stdout.terminal.columns : 80;
}

/** Cells that `text` takes on a terminal: colours take none, wide characters and emoji two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const piece of pieces(text)) width += piece.width;
  return width;
}

/** `text` within `columns` cells; what is cut off is shown by `…`, and colours are ended. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let width = 0;
  let kept = '';
  let coloured = false;
  for (const piece of pieces(text)) {
    if (width + piece.width > columns - 1) break;
    width += piece.width;
    coloured ||= piece.width === 0;
    kept += piece.text;
  }
  return `${kept}…${coloured ? '\u001b[0m' : ''}`;
}

/** Plain text in lines of at most `columns` cells, broken at spaces; a word that is longer has a line of its own. */
export function wrapTo(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === '' ? lines : [...lines, line];
}

/** One line that cannot move the cursor or change the terminal: control characters go, colours stay. */
export function harmless(text: string): string {
  return text.replaceAll('\t', '  ').replace(control, (found) => (colour.test(found) ? found : ''));
}

const escapeCode = String.fromCharCode(27);
// A colour is ESC [ digits and semicolons m; every other escape sequence and control character can do harm.
const colour = new RegExp(`^${escapeCode}\\[[\\d;]*m$`);
const colours = new RegExp(`(${escapeCode}\\[[\\d;]*m)`);
const control = new RegExp(`${escapeCode}\\[[\\d;:?<=>]*[ -/]*[@-~]|${escapeCode}[^\\[]|\\p{Cc}`, 'gu');
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\ufe0f/u;

type Piece = { readonly text: string; readonly width: 0 | 1 | 2 };

function* pieces(text: string): Generator<Piece> {
  for (const part of text.split(colours)) {
    if (colour.test(part)) yield { text: part, width: 0 };
    else for (const { segment } of graphemes.segment(part)) yield { text: segment, width: wide.test(segment) ? 2 : 1 };
  }
}
