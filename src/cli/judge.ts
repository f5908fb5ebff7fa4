import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { GroupCounts } from '../core/judge/forecast.ts';
import {
  type JudgeState,
  judgeRecorded,
  type RecordedRow,
  type Rules,
  startRecorded,
  type Verdict,
  verdict,
} from '../core/judge/judge.ts';
import { headerProblem, parseRecordedRow, recordedColumns } from '../core/judge/recorded.ts';
import { CliError, type Context } from './context.ts';
import { addToCourse, type Course, startCourse } from './judge/course.ts';
import { badLine, linesOf } from './judge/lines.ts';
import { pageOf } from './judge/page.ts';
import { changeLine, lastLine } from './judge/words.ts';
import { requirePlace, writePage } from './judge/write-page.ts';

type Options = {
  readonly alpha: string;
  readonly beta: string;
  readonly tolerate: string;
  readonly bad: string;
  readonly dispersion: string;
  readonly objective?: string;
  readonly json?: true;
  readonly html?: string;
};

type JudgeContext = Pick<Context, 'stdout' | 'stdin' | 'directory' | 'setExitCode'>;

/** `drover judge FILE.csv`: judges recorded windows. Exit 0 promote, 2 roll back, 3 not enough evidence, 1 bad input. */
export function addJudge(program: Command, context: JudgeContext): void {
  program
    .command('judge')
    .description('judge recorded windows: roll back, promote, or not enough evidence')
    .argument('<FILE>', 'recorded windows as CSV; - reads standard input')
    .option('--alpha <p>', 'probability of a false roll back', '0.001')
    .option('--beta <p>', 'probability of a false promotion', '0.01')
    .option('--tolerate <ratio>', 'ratio of failure rates that is tolerated', '2')
    .option('--bad <ratio>', 'ratio that promotion has to exclude', '3')
    .option('--dispersion <phi>', 'how much more the failures scatter than independent ones', '1')
    .option('--objective <rate>', 'failed fraction that users accept (default: none, so no absolute evidence)')
    .option('--html <OUT>', 'draw the evidence over time into this file, to look at or to attach')
    .option('--json', 'one line of JSON for each window (docs/reference/judge.md)')
    .addHelpText('after', help)
    .action(async (file: string, options: Options) => {
      await judgeFile(context, file, rulesOf(options), options);
    });
}

const help = `
The file begins with this line, and has one line of whole numbers for each window:
  ${recordedColumns.join(',')}
"seconds" is the end of the window since the start; the counts are the window's own.

Without --json: one line when the verdict changes, and a last one. With --json, for each window:
  {"seconds", "verdict": "roll back" | "promote" | "not enough evidence",
   "rollBack": {"logEvidence", "threshold", "by"}, "promote": {"logEvidence", "threshold", "by"}}
with natural logarithms and by: "comparison" | "absolute". The first decisive verdict ends the output.

With --html, also one file that any browser shows without a network. A file of that name is written over.

Exit status: 0 promote, 2 roll back, 3 not enough evidence, 1 bad input.

Examples:
  drover judge windows.csv
  drover judge --objective 0.01 --json windows.csv
  drover judge --html evidence.html windows.csv
  ssh balancer ./record.sh | drover judge -
`;

function rulesOf(options: Options): Rules {
  const problems: string[] = [];
  const number = (name: keyof Options, isGood: (value: number) => boolean, expected: string): number => {
    const text = String(options[name]);
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || !isGood(value)) problems.push(`--${name}: expected ${expected}, found ${text}`);
    return value;
  };
  const isFraction = (value: number) => value > 0 && value < 1;
  const tolerate = number('tolerate', (value) => value > 0 && value < 100, 'a ratio above 0 and below 100');
  const rules = {
    alpha: number('alpha', isFraction, 'a probability between 0 and 1'),
    beta: number('beta', isFraction, 'a probability between 0 and 1'),
    tolerate,
    bad: number('bad', (value) => !(value <= tolerate), `a ratio above --tolerate (${options.tolerate})`),
    dispersion: number('dispersion', (value) => value >= 1, 'at least 1'),
    objective:
      options.objective === undefined ? null : number('objective', isFraction, 'a failed fraction between 0 and 1'),
  };
  if (problems.length > 0) throw new CliError(problems.join('\n'), 'see drover judge --help');
  return rules;
}

/** One run over a file: nothing in it grows with the file. */
type Run = {
  line: number;
  /** The first empty line: allowed only where nothing follows. */
  emptyLine: number | null;
  seconds: number | null;
  state: JudgeState;
  seen: GroupCounts;
  /** null: nothing is drawn. */
  readonly course: Course | null;
};

type Outputs = Pick<Options, 'json' | 'html'>;

async function judgeFile(context: JudgeContext, file: string, rules: Rules, { json, html }: Outputs): Promise<void> {
  if (html !== undefined) await requirePlace(context, html, file);
  const run = startRun(rules, html !== undefined);
  const name = file === '-' ? '<stdin>' : file;
  for await (const lines of linesOf(sourceOf(context, file), name)) {
    for (const line of lines) {
      judgeLine(context, run, name, line, json === true);
      if (run.state.decided !== null) break;
    }
    if (run.state.decided !== null) break;
  }
  if (run.line === 0) throw badLine(name, 1, { column: 1, what: `expected the columns ${recordedColumns.join(',')}` });
  if (json !== true) context.stdout.write(lastLine(run));
  const { course } = run;
  if (html !== undefined && course !== null) await writePage(context, html, pageOf({ ...run, course, name }));
  context.setExitCode(exitCodes[verdict(run.state).verdict]);
}

function startRun(rules: Rules, drawn: boolean): Run {
  const none = { attempts: 0, failures: 0 };
  const state = startRecorded(rules);
  const course = drawn ? startCourse(state) : null;
  return { line: 0, emptyLine: null, seconds: null, state, seen: { origin: none, destination: none }, course };
}

function sourceOf(context: JudgeContext, file: string): AsyncIterable<string | Uint8Array> {
  return file === '-' ? context.stdin : createReadStream(resolve(context.directory, file));
}

const exitCodes = { promote: 0, 'roll back': 2, 'not enough evidence': 3 } as const;

function judgeLine(context: JudgeContext, run: Run, name: string, line: string, json: boolean): void {
  run.line += 1;
  if (run.line === 1) {
    const problem = headerProblem(line);
    if (problem !== null) throw badLine(name, 1, problem);
    return;
  }
  if (line === '') {
    run.emptyLine ??= run.line;
    return;
  }
  if (run.emptyLine !== null)
    throw badLine(name, run.emptyLine, { column: 1, what: 'expected a window, found an empty line' });
  const row = parseRecordedRow(line, run.seconds);
  if ('what' in row) throw badLine(name, run.line, row);
  run.seconds = row.toSeconds;
  run.state = judgeRecorded(run.state, row);
  run.seen = addCounts(run.seen, row);
  if (run.course !== null) addToCourse(run.course, row, run.state);
  if (json) context.stdout.write(`${jsonLine(row.toSeconds, verdict(run.state))}\n`);
  else if (run.state.decided !== null) context.stdout.write(changeLine(row.toSeconds, verdict(run.state)));
}

function addCounts({ origin, destination }: GroupCounts, row: RecordedRow): GroupCounts {
  return {
    origin: { attempts: origin.attempts + row.originAttempts, failures: origin.failures + row.originFailures },
    destination: {
      attempts: destination.attempts + row.destinationAttempts,
      failures: destination.failures + row.destinationFailures,
    },
  };
}

function jsonLine(seconds: number, { verdict, rollBack, promote }: Verdict): string {
  return JSON.stringify({ seconds, verdict, rollBack, promote });
}
