import type { Entry } from '../../../core/journal/entry.ts';
import { leftReasons } from '../../../core/move/ledger-lines.ts';
import { partitionName } from '../../../core/move/operation/plan.ts';
import { aclsOf, leversOf, type MoveState } from '../../../core/move/operation/state.ts';
import { copyStatus } from '../../../core/move/operation/status.ts';
import { aclWords } from '../../../core/move/rights.ts';
import type { Context } from '../../context.ts';
import { rateWords } from '../../journal/copy-sentences.ts';
import { readJournal } from '../../journal/open.ts';
import type { JournalPlace } from '../../journal/path.ts';
import { isTold, sentenceOf } from '../../journal/sentences.ts';
import { whole } from '../../terminal/figures.ts';
import { harmless } from '../../terminal/text.ts';
import { journalFacts } from '../prove/journal-facts.ts';
import { leftWords } from '../prove/words.ts';
import { amount } from '../verify/progress.ts';
import { copyNamed, type PastCopy } from './copies.ts';
import { stageWords } from './view.ts';

/** `drover report copy-1`: a blameless report, as Markdown, by the journal alone. No cluster is asked, and no ledger read. */
export async function reportCopy(
  context: Context,
  name: string,
  words: JournalPlace & { readonly json?: true },
): Promise<void> {
  const journal = await readJournal(context, words);
  try {
    const found = await copyNamed(context.world, journal, name);
    if (words.json) context.stdout.write(`${JSON.stringify({ ...found, taken: null })}\n`);
    else context.stdout.write(`${copyReportLines(found).map(harmless).join('\n')}\n`);
  } finally {
    await journal.close();
  }
}

export function copyReportLines({ state, entries }: PastCopy): string[] {
  const { operation, plan, by, startedAtMs } = state;
  const head = entries.at(-1);
  const status = copyStatus(state, null);
  return [
    `# ${operation}: ${escaped(`${plan.source.bootstrap} → ${plan.target.bootstrap}`)}`,
    '',
    `Outcome: **${escaped(stageWords(status))}**. Begun ${moment(startedAtMs)} by ${escaped(by)}; ${rateWords(state.rate)}.`,
    '',
    `From cluster \`${plan.source.clusterId}\` to cluster \`${plan.target.clusterId}\`: ${whole(status.records)} records are copied, ${amount(status.bytes)} of it by this operation, as far as the journal has it.`,
    '',
    ...accountLines(state),
    ...troubleLines(state, entries),
    ...settingLines(state),
    '## What happened',
    '',
    '| time (UTC) | entry | |',
    '|---|---|---|',
    ...entries
      .filter(({ body }) => isTold(body))
      .map(({ atMs, seq, body }) => `| ${new Date(atMs).toISOString()} | ${seq} | ${escaped(sentenceOf(body))} |`),
    '',
    `Head of the chain: entry ${head?.seq ?? 0}, \`${head?.hash ?? ''}\`. Kept elsewhere, it shows a journal that was cut or rewritten (\`drover journal verify --head HASH\`). Whether what was copied stands on the target is not in a journal: \`drover kafka prove ${operation}\` reads it back.`,
  ];
}

/** One row for each partition that has moved; the columns behind the offsets add up to them. */
function accountLines({ plan, marks }: MoveState): string[] {
  const rows = plan.topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partition }) => {
      const place = partitionName({ topic: name, partition });
      const account = marks[place]?.account;
      if (account === undefined) return [];
      const { from, to, copied } = account;
      const counts = [copied, ...leftReasons.map((why) => account[why])].map(whole).join(' | ');
      return [`| ${escaped(place)} | ${from} to ${to} | ${counts} |`];
    }),
  );
  if (rows.length === 0)
    return ['Nothing of it is in the journal yet: it is written every 30 s, and when all is copied.', ''];
  const names = ['copied', ...leftReasons.map((why) => leftWords[why])];
  return [
    '## Offsets of the source',
    '',
    'From the first one to that which comes next, each of them accounted for once, at the last checkpoint.',
    '',
    `| partition | offsets | ${names.join(' | ')} |`,
    `|---|---|${names.map(() => '---|').join('')}`,
    ...rows,
    '',
  ];
}

function troubleLines(state: MoveState, entries: readonly Entry[]): string[] {
  const { controllers, moverFailures, holds, lost, unproven, stopped } = journalFacts(state, entries);
  const lines = [
    ...(controllers > 1 ? [`- It was begun again ${times(controllers - 1)}.`] : []),
    ...(moverFailures > 0 ? [`- What moves the data has ended by itself ${times(moverFailures)}.`] : []),
    ...holds.map(({ atMs, by, why }) => `- Held ${moment(atMs)} by ${escaped(by)}: ${escaped(why)}`),
    ...lost.map(
      (one) =>
        `- ${escaped(partitionName(one))}: the target has lost offsets ${one.from} to ${one.to - 1}; they were copied once more.`,
    ),
    ...unproven.map(
      (one) =>
        `- ${escaped(partitionName(one))}: offsets ${one.from} to ${one.to - 1} of the target were never compared with the source, which had deleted them.`,
    ),
    ...stopped.map((one) => `- ${escaped(partitionName(one))} has stopped: ${escaped(one.why)}`),
  ];
  return lines.length === 0 ? [] : ['## What was in the way', '', ...lines, ''];
}

function settingLines(state: MoveState): string[] {
  const { plan, leversLeft, made } = state;
  const lines = [
    ...made.map((topic) => `- ${escaped(topic)} was made.`),
    ...plan.topics.flatMap(({ name, changes }) =>
      changes.map(({ key, value }) => `- ${escaped(name)}: ${key} was set to ${escaped(value ?? 'none')}.`),
    ),
    ...leversOf(state).map(
      ({ topic, key, before, whileCopying }) =>
        `- ${escaped(topic)}: ${key} was ${whileCopying} while it was copied, and ${escaped(before ?? 'not set')} before.`,
    ),
    ...aclsOf(state).map((acl) => `- ACL: ${escaped(aclWords(acl))}.`),
    ...leversLeft.map((line) => `- Not restored, as somebody has changed it meanwhile: ${escaped(line)}`),
  ];
  return lines.length === 0 ? [] : ['## What was changed on the target', '', ...lines, ''];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${whole(count)} times`;
}

function moment(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
