import type { Clock } from '../../engine/ports.ts';
import type { Output } from '../context.ts';
import { cutTo, harmless, widthOf, wrapTo } from './text.ts';

export type LiveBlock = {
  /** Replaces the block. Piped: prints nothing. */
  show(lines: readonly string[]): void;
  /** A line that stays: above the block on a terminal, else printed with its date (UTC). */
  note(line: string): void;
  /** Leaves the block as it is and ends it. */
  close(): void;
};

/**
 * A block of lines that is redrawn in place on a terminal, with dated notes scrolling above it; piped, only the notes.
 * The cursor rests at the end of the block's last line, so that a program that is killed leaves a usable terminal.
 */
export function liveBlock(output: Output, clock: Pick<Clock, 'now'> = { now: Date.now }): LiveBlock {
  return output.terminal === null ? plainLines(output, clock) : redrawnBlock(output, clock);
}

function plainLines(output: Output, clock: Pick<Clock, 'now'>): LiveBlock {
  const write = writer(output);
  return {
    show: () => undefined,
    note: (line) => write(`${utc(clock.now())}  ${harmless(line)}\n`),
    close: () => undefined,
  };
}

function redrawnBlock(output: Output, clock: Pick<Clock, 'now'>): LiveBlock {
  const write = writer(output);
  let drawn: readonly string[] = [];
  let closed = false;
  const draw = (notes: readonly string[], lines: readonly string[]) => {
    const { columns, rows } = sizeOf(output);
    const erase = drawn.length === 0 ? '' : `${up(heightOf(drawn, columns) - 1)}\r\u001b[J`;
    drawn = fitted(lines, columns, rows);
    write(erase + notes.map((note) => `${note}\n`).join('') + drawn.join('\n'));
  };
  return {
    show: (lines) => {
      if (!closed) draw([], lines);
    },
    note: (line) => draw(hanging(timeOfDay(clock.now()), harmless(line), sizeOf(output).columns), drawn),
    close: () => {
      if (!closed && drawn.length > 0) write('\n');
      closed = true;
      drawn = [];
    },
  };
}

/** Behind the time, in lines broken at words; what is indented stays so. */
function hanging(time: string, text: string, columns: number): string[] {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const indent = ' '.repeat(time.length + 2) + lead;
  const wrapped = wrapTo(text.slice(lead.length), Math.max(20, columns - indent.length));
  return wrapped.map((line, at) => (at === 0 ? `${time}  ${lead}${line}` : indent + line));
}

/** A reader that went away (`| head`) must not end an operation: what cannot be written any more is dropped. */
function writer(output: Output): (text: string) => void {
  let gone = false;
  return (text) => {
    if (gone) return;
    try {
      output.write(text);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
      gone = true;
    }
  };
}

/** Some terminals say 0 columns or rows (serial lines, some CI): a common size is assumed then. */
function sizeOf(output: Output): { columns: number; rows: number } {
  const { columns, rows } = output.terminal ?? { columns: 0, rows: 0 };
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/** A line that wraps or a block that scrolls could not be erased again, so both are cut. */
function fitted(lines: readonly string[], columns: number, rows: number): string[] {
  const most = Math.max(1, rows - 1);
  const kept = lines.length > most ? [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines`] : lines;
  return kept.map((line) => cutTo(harmless(line), columns));
}

/** Rows that the drawn lines take now: a terminal that became narrower has wrapped them. */
function heightOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
}

function up(rows: number): string {
  return rows > 0 ? `\u001b[${rows}A` : '';
}

function utc(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

function timeOfDay(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
