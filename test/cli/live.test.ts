import { describe, expect, test } from 'vitest';
import type { Output } from '../../src/cli/context.ts';
import { liveBlock } from '../../src/cli/terminal/live.ts';
import { table } from '../../src/cli/terminal/table.ts';
import { cutTo, harmless, widthOf } from '../../src/cli/terminal/text.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };

describe('a live block on a terminal', () => {
  test('is redrawn in place, with notes above it', () => {
    const screen = terminal(40, 10);
    const live = liveBlock(screen.output, clock);
    live.show(['one', 'two']);
    live.show(['three', 'four', 'five']);
    live.note('something happened');
    live.show(['six']);
    live.close();
    const [note, ...block] = screen.lines();
    expect(note).toMatch(/^\d\d:04:05 {2}something happened$/);
    expect(block).toEqual(['six', '']);
  });

  test('a long note is broken at words, behind its time, and keeps its indentation', () => {
    const screen = terminal(40, 10);
    const live = liveBlock(screen.output, clock);
    live.note('one two three four five six seven eight nine');
    live.note('  drover resume    goes on');
    live.show(['block']);
    expect(screen.lines().map((line) => line.replace(/^\d\d:/, 'hh:'))).toEqual([
      'hh:04:05  one two three four five six',
      '          seven eight nine',
      'hh:04:05    drover resume    goes on',
      'block',
    ]);
  });

  test('erases what it drew after the terminal became narrower and wrapped it', () => {
    const screen = terminal(40, 10);
    const live = liveBlock(screen.output, clock);
    live.show(['x'.repeat(40), 'y'.repeat(25)]);
    screen.resize(20);
    live.show(['short']);
    expect(screen.lines()).toEqual(['short']);
  });

  test('never scrolls or wraps: long lines and tall blocks are cut', () => {
    const screen = terminal(10, 4);
    const live = liveBlock(screen.output, clock);
    live.show(['a'.repeat(30), 'b', 'c', 'd', 'e']);
    expect(screen.lines()).toEqual(['aaaaaaaaa…', 'b', `${'… 3 more …'.slice(0, 9)}…`]);
  });

  test('a terminal of 0 columns and rows counts as one of 80 by 24', () => {
    const screen = terminal(0, 0);
    liveBlock(screen.output, clock).show(['a'.repeat(100)]);
    expect(widthOf(screen.written())).toBe(80);
  });

  test('text from elsewhere cannot move the cursor', () => {
    const screen = terminal(40, 10);
    const live = liveBlock(screen.output, clock);
    live.show(['a\u001b[2Jb\nc\u0007', '\u001b[31mred\u001b[39m']);
    expect(screen.written()).toBe('abc\n\u001b[31mred\u001b[39m');
  });
});

describe('a live block that is piped', () => {
  test('prints dated notes and nothing else', () => {
    let text = '';
    const live = liveBlock(
      {
        terminal: null,
        write: (more) => {
          text += more;
        },
      },
      clock,
    );
    live.show(['block']);
    live.note('a note');
    live.close();
    expect(text).toBe('2026-01-02 03:04:05Z  a note\n');
  });

  test('goes on silently when its reader is gone, and passes every other error on', () => {
    let tries = 0;
    const fail = (code: string) => () => {
      tries++;
      throw Object.assign(new Error(code), { code });
    };
    const live = liveBlock({ terminal: null, write: fail('EPIPE') }, clock);
    live.note('a');
    live.note('b');
    expect(tries).toBe(1);
    expect(() => liveBlock({ terminal: null, write: fail('ENOSPC') }, clock).note('a')).toThrow('ENOSPC');
  });
});

test('widths: colours take nothing, emoji and ideographs two cells', () => {
  expect([widthOf('\u001b[1mab\u001b[22m'), widthOf('🐑'), widthOf('漢'), widthOf('é')]).toEqual([2, 2, 2, 1]);
  expect(cutTo('\u001b[31mabcdef\u001b[39m', 4)).toBe('\u001b[31mabc…\u001b[0m');
  expect(harmless('a\u001b]0;title\u0007b')).toBe('a0;titleb');
});

test('tables align by what is seen', () => {
  expect(
    table(
      [
        ['name', 'n'],
        ['\u001b[31mx\u001b[39m', '10'],
      ],
      'lr',
    ),
  ).toEqual(['name   n', '\u001b[31mx\u001b[39m     10']);
});

/** Enough of a terminal to see what remains on the screen: wrapping, cursor up, erase below. */
function terminal(columns: number, rows: number) {
  let text = '';
  let size = { columns, rows };
  const output: Output = {
    write: (more) => {
      text += more;
    },
    get terminal() {
      return size;
    },
  };
  let rewrapAt: number | null = null;
  const lines = () => {
    const screen = new Screen(columns);
    screen.write(rewrapAt === null ? text : text.slice(0, rewrapAt));
    if (rewrapAt !== null) {
      screen.rewrap(size.columns);
      screen.write(text.slice(rewrapAt));
    }
    return screen.rows;
  };
  const resize = (narrower: number) => {
    rewrapAt = text.length;
    size = { columns: narrower, rows };
  };
  return { output, lines, resize, written: () => text };
}

const escapeCode = String.fromCharCode(27);
const moves = new RegExp(`(${escapeCode}\\[\\d*[AJ]|\\r|\\n)`);
const up = new RegExp(`^${escapeCode}\\[(\\d+)A$`);

class Screen {
  rows: string[] = [''];
  row = 0;
  columns: number;
  constructor(columns: number) {
    this.columns = columns;
  }
  write(text: string): void {
    for (const part of text.split(moves)) {
      const move = up.exec(part);
      if (move !== null) this.row -= Number(move[1]);
      else if (part === '\u001b[J') this.rows = [...this.rows.slice(0, this.row), ''];
      else if (part === '\n') this.rows[++this.row] ??= '';
      else if (part !== '\r') this.rows[this.row] += part;
    }
  }
  rewrap(columns: number): void {
    this.rows = this.rows.flatMap((row) => row.match(new RegExp(`.{1,${columns}}`, 'g')) ?? ['']);
    this.row = this.rows.length - 1;
  }
}
