import type { Context } from '../../context.ts';
import { liveBlock } from '../../terminal/live.ts';
import type { Progress } from './progress.ts';

const redrawMs = 500;
const noteMs = 30_000;

/** How far it is, until it is closed: in place on a terminal, else a dated line now and then. Standard output is for the result. */
export function shownProgress(
  { stderr, clock }: Context,
  progress: Progress,
): { note(line: string): void; close(): void } {
  const live = liveBlock(stderr, clock);
  const isTerminal = stderr.terminal !== null;
  const show = () => (isTerminal ? live.show([progress.line()]) : live.note(progress.line()));
  const timer = setInterval(show, isTerminal ? redrawMs : noteMs);
  return {
    note: (line) => live.note(line),
    close() {
      clearInterval(timer);
      if (isTerminal) live.show([progress.line()]);
      live.close();
    },
  };
}
