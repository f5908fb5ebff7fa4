import type { Entry } from '../../core/journal/entry.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { RolloutStatus } from '../../core/rollout/status.ts';
import type { Context } from '../context.ts';
import { isTold, sentenceOf } from '../journal/sentences.ts';
import { statusLines } from '../status/view.ts';
import { liveBlock } from '../terminal/live.ts';
import { paintFor } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { columnsOf } from '../terminal/text.ts';
import { lasting } from './novelties.ts';
import type { ControlEnd } from './rollout.ts';

/** What a controller shows while it runs: a live block on a terminal, dated lines when piped, JSON lines with --json. */
export type RolloutReporter = {
  note(line: string): void;
  /** Something beside the rollout failed: above the block on a terminal, else on standard error. */
  trouble(line: string): void;
  entry(entry: Entry): void;
  status(status: RolloutStatus, state: RolloutState): void;
  end(end: ControlEnd): void;
  close(): void;
};

/** `command` writes another command for the same configuration and journal. */
export function reporterFor(context: Context, json: boolean, command: (verb: string) => string): RolloutReporter {
  return json ? jsonReporter(context) : textReporter(context, command);
}

/** Reasons to wait that are gone sooner, such as a load that is not known before the second reading, are no news. */
const waiting = { lastsMs: 3000, againMs: 10 * 60_000, overMs: 10_000 };

function jsonReporter({ stdout, stderr }: Context): RolloutReporter {
  const line = (value: unknown) => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    note: () => undefined,
    trouble: (text) => stderr.write(`drover: ${text}\n`),
    entry: (entry) => line({ entry }),
    status: () => undefined,
    end: ({ kind, state }) =>
      line({ end: kind, operation: state.operation, stage: state.stage.kind, held: state.held }),
    close: () => undefined,
  };
}

function textReporter(context: Context, command: (verb: string) => string): RolloutReporter {
  const paint = paintFor(context);
  const block = liveBlock(context.stdout, context.clock);
  let steps: number | null = null;
  let told = '';
  const waits = lasting(waiting, () => context.clock.monotonic());
  return {
    note: block.note,
    trouble: (line) => {
      if (context.stdout.terminal === null) context.stderr.write(`drover: ${line}\n`);
      else block.note(line);
    },
    entry: (entry) => {
      if (!isTold(entry.body)) return;
      const line = `${entry.operation}  ${sentenceOf(entry.body, steps)}`;
      // An intent that differs by a weight or two says nothing new.
      if (line !== told) block.note(line);
      told = line;
    },
    status: (status) => {
      steps = status.steps;
      // On a terminal the block shows them. What goes back waits for something else, and nothing is over by that.
      if (context.stdout.terminal === null && status.back === null) {
        const { fresh, over } = waits(status.blockers);
        for (const text of fresh) block.note(`${status.operation}  waits: ${text}`);
        for (const text of over) block.note(`${status.operation}  waits no longer: ${text}`);
      }
      block.show(statusLines(status, paint, context.clock.now(), columnsOf(context)));
    },
    end: (end) => {
      block.show([]);
      if (end.kind === 'ended') return;
      block.note(`${end.state.operation}  ${whereItStands(end)}`);
      const commands = end.isBack
        ? [[command('back'), 'goes on with the way back']]
        : [
            [command(end.state.held === null ? 'apply' : 'resume'), 'goes on'],
            [command('back'), 'takes the traffic back'],
          ];
      for (const line of table(commands, 'll')) block.note(`  ${line}`);
    },
    close: block.close,
  };
}

/** Where a controller leaves the traffic that ends before its rollout has. */
function whereItStands({ isBack, state, standing, trouble }: ControlEnd): string {
  if (!isBack && state.held !== null) return 'the share is held where it is';
  if (!isBack)
    return `the share stays where it is; that it was to be held is not in the journal${trouble === null ? '' : `: ${trouble}`}`;
  if (standing.length > 0) return `the traffic is NOT back; still standing: ${standing.join('; ')}`;
  return state.stage.kind === 'restoring'
    ? 'the traffic is back; sizes and states are not yet as found'
    : 'the destination gets no new request; what is under way there has not been seen to end, and sizes and states are not yet as found';
}
