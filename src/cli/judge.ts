import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type GroupCounts, requestsToPromote } from '../core/judge/forecast.ts';
import {
  type Evidence,
  type JudgeState,
  judgeRecorded,
  type RecordedRow,
  type Rules,
  startRecorded,
  type Verdict,
  verdict,
} from '../core/judge/judge.ts';
import { headerProblem, parseRecordedRow, type RecordedProblem, recordedColumns } from '../core/judge/recorded.ts';
import { CliError, type Context } from './context.ts';
import { whole } from './terminal/figures.ts';

type Options = {
  readonly alpha: string;
  readonly beta: string;
  readonly tolerate: string;
  readonly bad: string;
  readonly dispersion: string;
  readonly objective?: string;
  readonly json?: true;
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
    .option('--json', 'one line of JSON for each window (docs/reference/judge.md)')
    .addHelpText('after', help)
    .action(async (file: string, options: Options) => {
      await judgeFile(context, file, rulesOf(options), options.json === true);
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

Exit status: 0 promote, 2 roll back, 3 not enough evidence, 1 bad input.

Examples:
  drover judge windows.csv
  drover judge --objective 0.01 --json windows.csv
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
};

async function judgeFile(context: JudgeContext, file: string, rules: Rules, json: boolean): Promise<void> {
  const none = { attempts: 0, failures: 0 };
  const seen = { origin: none, destination: none };
  const run: Run = { line: 0, emptyLine: null, seconds: null, state: startRecorded(rules), seen };
  const name = file === '-' ? '<stdin>' : file;
  for await (const lines of linesOf(sourceOf(context, file), name)) {
    for (const line of lines) {
      judgeLine(context, run, name, line, json);
      if (run.state.decided !== null) break;
    }
    if (run.state.decided !== null) break;
  }
  if (run.line === 0) throw badLine(name, 1, { column: 1, what: `expected the columns ${recordedColumns.join(',')}` });
  if (!json) context.stdout.write(lastLine(run));
  context.setExitCode(exitCodes[verdict(run.state).verdict]);
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
  if (json) context.stdout.write(`${jsonLine(row.toSeconds, verdict(run.state))}\n`);
  else if (run.state.decided !== null) context.stdout.write(changeLine(row.toSeconds, verdict(run.state)));
}

function badLine(name: string, line: number, { column, what }: RecordedProblem): CliError {
  return new CliError(`${name}:${line}:${column}: ${what}`, 'see drover judge --help for the format');
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

function changeLine(seconds: number, { verdict, rollBack, promote }: Verdict): string {
  const evidence = verdict === 'promote' ? promote : rollBack;
  return `${seconds} s: ${verdict} (evidence ${against(evidence)}, by ${evidence.by})\n`;
}

function lastLine({ state, seconds, seen }: Run): string {
  if (seconds === null) return 'not enough evidence: there are no windows\n';
  const { verdict: word, rollBack, promote } = verdict(state);
  const groups = `origin ${failed(seen.origin)}, destination ${failed(seen.destination)}`;
  if (word !== 'not enough evidence') return `${word} after ${seconds} s: ${groups}\n`;
  const evidence = `roll back ${against(rollBack)}, promote ${against(promote)}`;
  return `${word} after ${seconds} s: ${groups}; ${evidence}; ${outlook(state, seen)}\n`;
}

function against({ logEvidence, threshold }: Evidence): string {
  // What rounds to zero is zero, without a sign.
  const rounded = Number(logEvidence.toFixed(2)) || 0;
  return `${rounded.toFixed(2)} of ${threshold.toFixed(2)}`;
}

function failed({ attempts, failures }: GroupCounts['origin']): string {
  const percent = attempts === 0 ? '' : ` (${Number(((100 * failures) / attempts).toPrecision(3))} %)`;
  return `${failures} of ${attempts} failed${percent}`;
}

function outlook(state: JudgeState, seen: GroupCounts): string {
  const forecast = requestsToPromote(state, seen);
  if (forecast.kind !== 'requests') return forecast.why;
  if (forecast.requests > 1e15) return 'promotion would take more requests than there will ever be';
  // Two digits: a forecast is not a measurement.
  const about = whole(Number(forecast.requests.toPrecision(2)));
  return `about ${about} more requests to promote, if both groups fail alike (by ${forecast.by})`;
}

type Source = AsyncIterable<string | Uint8Array>;

function sourceOf(context: JudgeContext, file: string): Source {
  return file === '-' ? context.stdin : createReadStream(resolve(context.directory, file));
}

/** Longer than any window can be written; what is longer is refused rather than kept. */
const lineCharactersMax = 1000;

/** The lines of each chunk. Ends of line are LF or CRLF; a byte order mark is passed over. */
async function* linesOf(source: Source, name: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  try {
    for await (const chunk of source) {
      const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
      rest = lines.pop() ?? '';
      yield lines.map(withoutReturn);
      count += lines.length;
      if (rest.length > lineCharactersMax) {
        throw badLine(name, count + 1, { column: lineCharactersMax + 1, what: 'expected the end of the line' });
      }
    }
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(`${name} cannot be read: ${reason(error)}`, 'name a CSV file, or - for standard input', error);
  }
  rest += decoder.decode();
  if (rest !== '') yield [withoutReturn(rest)];
}

function reason(error: Error): string {
  const code = 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return error.message;
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
