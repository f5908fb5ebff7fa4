import type { Entry } from '../../../core/journal/entry.ts';
import type { CopyStatus } from '../../../core/move/operation/status.ts';
import type { Context } from '../../context.ts';
import { lasting } from '../../controller/novelties.ts';
import { isTold, sentenceOf } from '../../journal/sentences.ts';
import { liveBlock } from '../../terminal/live.ts';
import type { CopyEnd } from './control.ts';
import { copyLine, copyLines, openMeter, troubleLines } from './view.ts';

/** What a controller of a copy shows while it runs: a live block on a terminal, dated lines when piped, JSON lines with --json. */
export type CopyReporter = {
  note(line: string): void;
  /** Something beside the copy failed: above the block on a terminal, else on standard error. */
  trouble(line: string): void;
  entry(entry: Entry): void;
  status(status: CopyStatus): void;
  end(end: CopyEnd, afterwards: readonly string[]): void;
  close(): void;
};

export function copyReporter(context: Context, json: boolean): CopyReporter {
  return json ? jsonReporter(context) : textReporter(context);
}

const statusEveryMs = 1000;
const noteEveryMs = 30_000;
/** What waits for less is no news. */
const waiting = { lastsMs: 3000, againMs: 10 * 60_000, overMs: 10_000 };

function jsonReporter({ stdout, stderr, clock }: Context): CopyReporter {
  const line = (value: unknown) => stdout.write(`${JSON.stringify(value)}\n`);
  let shownMs = Number.NEGATIVE_INFINITY;
  return {
    note: (text) => stderr.write(`drover: ${text}\n`),
    trouble: (text) => stderr.write(`drover: ${text}\n`),
    entry: (entry) => line({ entry }),
    status: (status) => {
      const nowMs = clock.monotonic();
      if (nowMs - shownMs < statusEveryMs) return;
      shownMs = nowMs;
      line({ status });
    },
    end: (end) => line({ end: endKind(end), operation: end.state.operation, stage: end.state.stage.kind }),
    close: () => undefined,
  };
}

export function endKind({ kind, isHeldBack, state }: CopyEnd): string {
  if (isHeldBack) return 'held back';
  return kind === 'stopped' || state.stage.kind === 'copying' ? 'stopped' : 'ended';
}

function textReporter(context: Context): CopyReporter {
  const block = liveBlock(context.stdout, context.clock);
  const meter = openMeter(context.clock);
  const isTerminal = context.stdout.terminal !== null;
  const waits = lasting(waiting, () => context.clock.monotonic());
  let notedMs = context.clock.monotonic();
  return {
    note: block.note,
    trouble: (line) => {
      if (isTerminal) block.note(line);
      else context.stderr.write(`drover: ${line}\n`);
    },
    entry: (entry) => {
      if (isTold(entry.body)) block.note(`${entry.operation}  ${sentenceOf(entry.body)}`);
    },
    status: (status) => {
      meter.add(status);
      if (isTerminal) return block.show(copyLines(status, meter, columnsOf(context)));
      const { fresh, over } = waits(troubleLines(status));
      for (const text of fresh) block.note(`${status.operation}  ${text}`);
      for (const text of over) block.note(`${status.operation}  no longer: ${text}`);
      const nowMs = context.clock.monotonic();
      if (nowMs - notedMs < noteEveryMs) return;
      notedMs = nowMs;
      block.note(copyLine(status, meter));
    },
    end: (_end, afterwards) => {
      block.show([]);
      for (const line of afterwards) block.note(line);
    },
    close: block.close,
  };
}

/** Some terminals say none, and any may change: a common width is assumed then. */
function columnsOf({ stdout }: Context): number {
  const columns = stdout.terminal?.columns ?? 0;
  return columns > 0 ? columns : 80;
}

/** What somebody may want to do next. `again`: the command that began it. */
export function afterwardsOf({ state, isHeldBack }: CopyEnd, command: (verb: string) => string): string[] {
  const { operation, stage } = state;
  const remove = `\`${command('back')} ${operation}\` deletes the topics that it made, as long as nobody uses them`;
  if (stage.kind === 'copied')
    return ['`drover kafka verify` compares both sides, record by record; the same command copies what comes later'];
  if (stage.kind === 'aborted')
    return [`the same command goes on from where this one has ended (its ledger is kept); ${remove}`];
  if (stage.kind === 'removed') return [];
  const damaged = new Set(Object.values(state.stopped).flatMap(({ topic, isDamage }) => (isDamage ? [topic] : [])));
  const why = isHeldBack ? 'an open transaction of the source holds back what is left' : 'it is not done';
  return [
    `${operation}: ${why}; settings that were set aside stay so. The same command, or \`${command('resume')} ${operation}\`, goes on`,
    ...[...damaged].map(
      (topic) =>
        `${topic} is damaged: the same command with \`--rebuild ${topic}\` deletes it on the target and makes it anew, if all of it is ours`,
    ),
    `\`${command('abort')} ${operation}\` ends it and restores the settings`,
  ];
}

export function exitCodeOf({ state, isHeldBack }: CopyEnd): 0 | 2 | 3 {
  if (isHeldBack) return 3;
  return state.stage.kind === 'copied' ? 0 : 2;
}
