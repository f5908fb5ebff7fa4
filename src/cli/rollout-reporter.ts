import type { Entry } from '../core/journal/entry.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import type { RolloutStatus } from '../core/rollout/status.ts';
import type { Context } from './context.ts';
import { isTold, sentenceOf } from './journal-sentences.ts';
import { liveBlock } from './live.ts';
import { paintFor } from './paint.ts';
import { statusLines } from './status-view.ts';
import { columnsOf } from './terminal-text.ts';

/** What a controller shows while it runs: a live block on a terminal, dated lines when piped, JSON lines with --json. */
export type RolloutReporter = {
  note(line: string): void;
  /** Something beside the rollout failed: above the block on a terminal, else on standard error. */
  trouble(line: string): void;
  entry(entry: Entry): void;
  status(status: RolloutStatus, state: RolloutState): void;
  end(kind: 'ended' | 'stopped', state: RolloutState): void;
  close(): void;
};

export function reporterFor(context: Context, json: boolean): RolloutReporter {
  return json ? jsonReporter(context) : textReporter(context);
}

function jsonReporter({ stdout, stderr }: Context): RolloutReporter {
  const line = (value: unknown) => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    note: () => undefined,
    trouble: (text) => stderr.write(`drover: ${text}\n`),
    entry: (entry) => line({ entry }),
    status: () => undefined,
    end: (kind, state) => line({ end: kind, operation: state.operation, stage: state.stage.kind, held: state.held }),
    close: () => undefined,
  };
}

function textReporter(context: Context): RolloutReporter {
  const paint = paintFor(context);
  const block = liveBlock(context.stdout, context.clock);
  let steps: number | null = null;
  const waits = novelties();
  return {
    note: block.note,
    trouble: (line) => {
      if (context.stdout.terminal === null) context.stderr.write(`drover: ${line}\n`);
      else block.note(line);
    },
    entry: (entry) => {
      if (isTold(entry.body)) block.note(`${entry.operation}  ${sentenceOf(entry.body, steps)}`);
    },
    status: (status) => {
      steps = status.steps;
      // On a terminal the block shows them.
      if (context.stdout.terminal === null) {
        for (const text of waits(status.held === null ? status.blockers : []))
          block.note(`${status.operation}  waits: ${text}`);
      }
      block.show(statusLines(status, paint, context.clock.now(), columnsOf(context)));
    },
    end: (kind, state) => {
      block.show([]);
      if (kind === 'ended') return;
      const where =
        state.back === null
          ? 'the share is held where it is'
          : 'the traffic is back; sizes and states are not yet as found';
      block.note(`${state.operation}  ${where}`);
      block.note('  drover resume    goes on');
      block.note('  drover back      takes the traffic back');
    },
    close: block.close,
  };
}

/** What is there now and was not the time before. The same with other figures is not new. */
function novelties(): (texts: readonly string[]) => readonly string[] {
  let before: ReadonlySet<string> = new Set();
  const keyOf = (text: string) => text.replace(/\d+(\.\d+)?/g, '#');
  return (texts) => {
    const fresh = texts.filter((text) => !before.has(keyOf(text)));
    before = new Set(texts.map(keyOf));
    return fresh;
  };
}
