import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A command of a guide, and what a reader would do with it. `run`: to its end; `interrupt`: until Ctrl-C; `background`: it goes
 * on while the next ones are run; `by hand`: not Drover.
 */
export type Block = {
  readonly how: 'run' | 'interrupt' | 'background' | 'by hand';
  readonly exit: number;
  readonly command: string;
};

/** The blocks ```sh of a page of docs/guide, in their order. One that does not say how it is run is an error. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'guide', page), 'utf8');
  return [...text.matchAll(/^```(?:sh|bash|shell)(.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', command = '']) => {
    const words = info.trim().split(' ');
    const exit = Number(/exit=(\d)/.exec(info)?.[1] ?? 0);
    return { how: howOf(page, words), exit, command: command.trim() };
  });
}

function howOf(page: string, words: readonly string[]): Block['how'] {
  if (words[0] === 'by-hand') return 'by hand';
  if (words[0] !== 'run') throw new Error(`${page}: a command that nobody runs: \`\`\`sh ${words.join(' ')}`);
  if (words.includes('interrupt')) return 'interrupt';
  return words.includes('background') ? 'background' : 'run';
}

/** The words of a command line as a shell would take them: quotes keep spaces. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}
