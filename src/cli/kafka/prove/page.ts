import { leftReasons } from '../../../core/move/ledger-lines.ts';
import type { Verdict } from '../../../core/move/proof/finding.ts';
import { element, escaped, wholePage } from '../../judge/markup.ts';
import { whole } from '../../terminal/figures.ts';
import { packageVersion } from '../../version.ts';
import { amount } from '../verify/progress.ts';
import { pageStyle } from './page-style.ts';
import type { Proof, ProofPartition, ProofTopic } from './result.ts';
import { differenceWords, findingWords, leftWords, leverWords } from './words.ts';

/** The proof on one page of HTML, complete in itself: it asks for nothing, runs nothing, and is the same for the same proof. */
export function proofPage(proof: Proof): string {
  const title = `${headline[proof.verdict]}: ${proof.operation}`;
  return wholePage({ title, style: pageStyle, hue: hues[proof.verdict], body: body(proof) });
}

const headline: Readonly<Record<Verdict, string>> = {
  proven: 'Proven',
  wrong: 'Something is wrong',
  unprovable: 'Not all can be proven any more',
};

/** The colours of the judge's page. */
const hues: Readonly<Record<Verdict, string>> = { proven: 'promote', wrong: 'rollback', unprovable: 'wait' };

function body(proof: Proof): string {
  const { operation, source, target, provedAtMs, provedBy } = proof;
  return [
    '<header>',
    element(
      'p',
      { class: 'kicker' },
      escaped(`drover kafka prove · ${operation} · ${moment(provedAtMs)} · ${provedBy}`),
    ),
    element('h1', {}, element('span', { class: 'word' }, escaped(headline[proof.verdict]))),
    element('p', { class: 'lead' }, escaped(sentence(proof))),
    '</header>',
    tiles(proof),
    findings(proof),
    section('Each offset of the source, accounted for', proof.topics.map(accounts).join('\n')),
    section('Settings of the topics', settings(proof)),
    section('What the journal tells', journal(proof)),
    section('What was read, and what it shows', meaning),
    section('For a machine to check', heads(proof)),
    element(
      'footer',
      {},
      escaped(
        `Drawn by drover ${packageVersion()}. ${source.bootstrap} (cluster ${source.clusterId}) → ${target.bootstrap} (cluster ${target.clusterId}).`,
      ),
    ),
  ].join('\n');
}

function sentence(proof: Proof): string {
  const all = partitionsOf(proof);
  const records = sum(all, ({ records: count }) => count);
  const proven = sum(all, ({ batches }) => batches.proven);
  const lines = sum(all, ({ batches }) => batches.lines);
  const read = `${whole(proven)} of ${whole(lines)} batches with ${whole(records)} records were read back from the target, and are as they were sent.`;
  const troubled = [
    proof.data === proof.verdict ? 'records' : '',
    proof.configuration === proof.verdict ? 'settings' : '',
  ];
  const what = troubled.filter((one) => one !== '').join(' and ');
  const rest = {
    proven: 'Each offset of the source is accounted for, and settings are the same.',
    wrong: `What is wrong (${what}) is told below, with its offsets.`,
    unprovable: `Nothing is known to be wrong. What cannot be proven any more (${what}) is told below.`,
  };
  return `${read} ${rest[proof.verdict]}`;
}

function tiles(proof: Proof): string {
  const all = partitionsOf(proof);
  const anew = sum(all, ({ batches }) => batches.madeAnew);
  const compared = sum(all, ({ batches }) => batches.compared);
  const right = all.filter(({ verdict }) => verdict === 'proven').length;
  const shown: readonly (readonly [string, string, string])[] = [
    ['partitions proven', whole(right), `of ${whole(all.length)}`],
    ['records', whole(sum(all, ({ records }) => records)), 'in proven batches'],
    ['batches', whole(sum(all, ({ batches }) => batches.proven)), 'read back by checksum'],
    ['made anew', whole(compared), anew === 0 ? 'none was' : `of ${whole(anew)} compared`],
    ['read', amount(proof.bytes), `in ${(proof.elapsedMs / 1000).toFixed(1)} s`],
    ['settings', proof.configuration === 'proven' ? 'equal' : proof.configuration, 'of the topics'],
  ];
  const each = shown.map(([name, value, small]) => {
    const said = `${escaped(value)} ${element('small', {}, escaped(small))}`;
    return element('div', {}, element('dt', {}, escaped(name)) + element('dd', {}, said));
  });
  return element('dl', { class: 'tiles' }, each.join(''));
}

function findings(proof: Proof): string {
  const found = proof.topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, findings: own }) => own.map((finding) => ({ topic, partition, finding }))),
  );
  if (found.length === 0) return '';
  const order = { wrong: 0, unprovable: 1, note: 2 } as const;
  const sorted = found.toSorted((one, other) => order[one.finding.weight] - order[other.finding.weight]);
  const rows = sorted.slice(0, findingsMax).map(({ topic, partition, finding }) => {
    const mark = { wrong: 'rollback', unprovable: 'wait', note: '' }[finding.weight];
    const word = { wrong: 'wrong', unprovable: 'not provable', note: 'note' }[finding.weight];
    return row([
      cell(escaped(`${topic}-${partition}`)),
      cell(element('span', { class: `mark ${mark}` }, word)),
      cell(escaped(findingWords(finding)), 'text'),
    ]);
  });
  const rest = sorted.length - findingsMax;
  const more = rest > 0 ? element('p', {}, escaped(`And ${whole(rest)} more: --json has them.`)) : '';
  return section(
    'What was found',
    table(
      ['partition', '', 'what stands where'].map((name) => heading(name)),
      rows,
    ) + more,
  );
}

const findingsMax = 300;

/** One row for each partition: what is behind the second number adds up to it. Reasons that none has are left out. */
function accounts({ topic, partitions }: ProofTopic): string {
  const reasons = leftReasons.filter((why) => partitions.some(({ account }) => account[why] > 0));
  const numbers = ['all', 'copied', ...reasons.map((why) => leftWords[why]), 'batches read back'];
  const head = [
    ...['partition', '', 'offsets'].map((name) => heading(name)),
    ...numbers.map((name) => heading(name, 'number')),
  ];
  const rows = partitions.map(({ partition, account, batches, verdict }) => {
    const counts = [account.to - account.from, account.copied, ...reasons.map((why) => account[why])];
    const word = { proven: 'proven', wrong: 'wrong', unprovable: 'not provable' }[verdict];
    return row([
      cell(`${partition}`),
      cell(element('span', { class: `mark ${hues[verdict]}` }, word)),
      cell(escaped(account.to > account.from ? `${account.from} to ${account.to - 1}` : 'none yet')),
      ...counts.map((count) => cell(whole(count), 'number')),
      cell(`${whole(batches.proven)} of ${whole(batches.lines)}`, 'number'),
    ]);
  });
  const earlier = partitions.filter(({ before }) => before.gone + before.skipped > 0);
  const notes = earlier.map(({ partition, before, account }) => {
    const gone = before.gone > 0 ? `${whole(before.gone)} were gone when the copy began` : '';
    const skipped = before.skipped > 0 ? `${whole(before.skipped)} were skipped by --from` : '';
    const words = [gone, skipped].filter((one) => one !== '').join(', ');
    return element('li', {}, escaped(`partition ${partition}, below offset ${account.from}: ${words}`));
  });
  return (
    element('h3', {}, escaped(topic)) +
    table(head, rows) +
    (notes.length === 0 ? '' : element('ul', {}, notes.join('')))
  );
}

function settings({ topics }: Proof): string {
  return topics
    .map(({ topic, configuration }) => {
      const { differences, levers, notes } = configuration;
      const words = [...differences.map(differenceWords), ...levers.map(leverWords), ...notes];
      const shown = words.length === 0 ? ['equal on both sides; nothing was set aside'] : words;
      return element('h3', {}, escaped(topic)) + list(shown);
    })
    .join('\n');
}

function journal({ journal: told, by, startedAtMs, stage, source }: Proof): string {
  const range = ({ topic, partition, from, to }: { topic: string; partition: number; from: number; to: number }) =>
    `${topic}-${partition} ${from} to ${to - 1}`;
  const facts: readonly (readonly [string, readonly string[]])[] = [
    ['begun', [`${moment(startedAtMs)} by ${by}`]],
    ['stage', [stage]],
    ['controllers', [whole(told.controllers)]],
    ['ends of the mover by itself', [whole(told.moverFailures)]],
    ['holds', told.holds.map(({ atMs, by: who, why }) => `${moment(atMs)} by ${who}: ${why}`)],
    ['lost on the target, and copied once more', told.lost.map(range)],
    ['never compared with the source', told.unproven.map(range)],
    ['stopped', told.stopped.map(({ topic, partition, why }) => `${topic}-${partition}: ${why}`)],
    ['settings left, as somebody has changed them', told.leversLeft],
    ['the source', source.trouble === null ? [] : [`cannot be asked: ${source.trouble}`]],
  ];
  const rows = facts
    .filter(([name, values]) => values.length > 0 || name === 'holds')
    .map(([name, values]) => {
      const said = values.length === 0 ? 'none' : values.map(escaped).join('<br>');
      return row([element('th', { scope: 'row' }, escaped(name)), cell(said)]);
    });
  return element('table', { class: 'facts' }, element('tbody', {}, rows.join('')));
}

const meaning = [
  'Each batch of the target was fetched as it lies there, and the checksum of its bytes was computed anew. Its place, its number of records, its producer and the checksum of its records are those that the ledger had written down before it was sent.',
  'Of a batch that was copied as it was, the ledger’s checksum is that which the source’s batch had: it follows from the one that the producer made, without the header. So the bytes on the target are those of the source.',
  'Batches that had to be made anew (holes, times of the append, formats of before v2) have another checksum: their records were compared with the source’s, one by one, where the source still has them.',
  'Each offset of the source from where the copy begins is in one column of the account, and in no other.',
]
  .map((text) => element('p', {}, escaped(text)))
  .join('');

function heads({ chain, operation, topics }: Proof): string {
  const words = `Chain of ${operation}: entry ${chain.seq}, `;
  const ledgers = topics.flatMap(({ topic, partitions }) =>
    partitions.flatMap(({ partition, ledger }) =>
      ledger === null
        ? []
        : [
            row([
              cell(escaped(`${topic}-${partition}`)),
              cell(whole(ledger.segments), 'number'),
              cell(escaped(ledger.lastHash), 'hash'),
            ]),
          ],
    ),
  );
  return (
    element('p', {}, escaped(words) + element('span', { class: 'hash' }, escaped(chain.hash))) +
    element(
      'p',
      {},
      `${element('code', {}, 'drover journal verify --head HASH')} tells whether the journal still has it.`,
    ) +
    table(
      [
        heading('ledger of'),
        heading('segments', 'number'),
        heading('SHA-256 of the last one, which names those before it'),
      ],
      ledgers,
    )
  );
}

function section(title: string, content: string): string {
  return element('section', {}, element('h2', {}, escaped(title)) + content);
}

/** `head`: cells of it. */
function table(head: readonly string[], rows: readonly string[]): string {
  const inner = element('thead', {}, row(head)) + element('tbody', {}, rows.join('\n'));
  return element('div', { class: 'wide' }, element('table', {}, inner));
}

function heading(name: string, kind = ''): string {
  return element('th', kind === '' ? { scope: 'col' } : { scope: 'col', class: kind }, escaped(name));
}

function row(cells: readonly string[]): string {
  return element('tr', {}, cells.join(''));
}

function cell(markup: string, kind = ''): string {
  return element('td', kind === '' ? {} : { class: kind }, markup);
}

function list(words: readonly string[]): string {
  return element('ul', {}, words.map((word) => element('li', {}, escaped(word))).join(''));
}

function partitionsOf({ topics }: Proof): ProofPartition[] {
  return topics.flatMap(({ partitions }) => partitions);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}

function moment(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
