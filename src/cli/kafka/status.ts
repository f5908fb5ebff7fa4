import type { Command } from 'commander';
import { hasMoveEnded } from '../../core/move/operation/state.ts';
import { type CopyStatus, copyStatus } from '../../core/move/operation/status.ts';
import type { Context } from '../context.ts';
import { journalOption, lookIntoJournal } from '../journal/open.ts';
import type { JournalPlace } from '../journal/path.ts';
import { harmless } from '../terminal/text.ts';
import { copiesOf, type PastCopy } from './copy/copies.ts';
import { copyController } from './copy/sockets.ts';
import { progressWords, stageWords, troubleLines } from './copy/view.ts';

type Words = JournalPlace & { readonly json?: true };

/** `drover kafka status`: which copies there are, where they stand, and whether their controllers live. */
export function addKafkaStatus(kafka: Command, context: Context): void {
  kafka
    .command('status')
    .description('which copies there are, where they stand, and whether their controllers live')
    .option(...journalOption)
    .option('--json', 'one object (docs/reference/kafka-status.md)')
    .addHelpText('after', examples)
    .action((words: Words) => status(context, words));
}

const examples = `
Exit status: 0, 1 an error, 2 a partition of a copy that is not over is damaged or has stopped.

Examples:
  drover kafka status
  drover kafka status --json | jq '.copies[-1].status.offsetsDone'
`;

async function status(context: Context, words: Words): Promise<void> {
  const { journal, stateDirectory } = await lookIntoJournal(context, words);
  try {
    const copies = await copiesOf(context.world, journal);
    const rows = await Promise.all(copies.map((one) => rowOf(context, stateDirectory, one)));
    if (rows.some(({ isWrong }) => isWrong)) context.setExitCode(2);
    if (words.json) context.stdout.write(`${JSON.stringify({ copies: rows.map(({ row }) => row) })}\n`);
    else context.stdout.write(`${linesOf(rows).map(harmless).join('\n')}\n`);
  } finally {
    await journal?.close();
  }
}

type Row = {
  readonly row: {
    readonly running: boolean | null;
    readonly pid: number | null;
    readonly trouble: string | null;
    readonly refusal: string | null;
    readonly status: CopyStatus;
  };
  readonly isOver: boolean;
  readonly isWrong: boolean;
};

async function rowOf(context: Context, stateDirectory: string, { state }: PastCopy): Promise<Row> {
  const isOver = hasMoveEnded(state);
  const found = isOver ? null : await copyController(context, stateDirectory, state.operation);
  const answer = found === 'silent' ? null : found;
  const status = answer?.status ?? copyStatus(state, null);
  const { pid = null, trouble = null, refusal = null } = answer ?? {};
  const isWrong = !isOver && status.partitions.some((one) => one.state === 'damaged' || one.state === 'stopped');
  const running = found === 'silent' ? null : found !== null;
  return { row: { running, pid, trouble, refusal, status }, isOver, isWrong };
}

function linesOf(rows: readonly Row[]): string[] {
  if (rows.length === 0) return ['No copy was begun here yet.'];
  return rows.flatMap(({ row: { status, running, pid, trouble, refusal }, isOver }) => {
    const controller = {
      true: `, controller pid ${pid}`,
      false: ', NO CONTROLLER RUNS',
      null: ', its controller does not answer',
    };
    const stage = running === false && !isOver ? status.stage : stageWords(status);
    return [
      `${status.operation}  ${status.topics.join(', ')}: ${status.source} → ${status.target}`,
      `  ${stage}${isOver ? '' : controller[`${running}`]}; ${progressWords(status, null)}`,
      ...(trouble === null ? [] : [`  nothing can be written to the journal: ${trouble}`]),
      ...(refusal === null ? [] : [`  ${refusal}`]),
      ...troubleLines(status).map((line) => `  ${line}`),
      ...status.leversLeft.map((line) => `  not restored, as somebody has changed it: ${line}`),
    ];
  });
}
