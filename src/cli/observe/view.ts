import type { Count } from '../../core/judge/counting.ts';
import { describeSights } from '../../core/judge/forecast.ts';
import type { ServerReading } from '../../core/observed/backend.ts';
import type { Outlook } from '../../core/observed/outlook.ts';
import type { Reading } from '../../core/observed/reading.ts';
import { type CountOverTime, figuresOf, type Groups, groupOf, type Tally } from '../../core/observed/tally.ts';
import { percentage, perSecond, rate, whole } from '../terminal/figures.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { widthOf, wrapTo } from '../terminal/text.ts';

/** One backend of one balancer process as it is shown. */
export type Seen = {
  readonly title: string;
  readonly groups: Groups | null;
  readonly tally: Tally;
  readonly outlook: Reading<Outlook>;
};

/** The block of one backend: its servers or groups since the balancer's start and in the last seconds, and what could be seen. */
export function describeSeen(seen: Seen, paint: Paint, columns: number): string[] {
  const lines = rowsOf(seen);
  const left = table(
    [['', '', ''], [seen.groups === null ? 'server' : 'group', 'state', 'weight'], ...lines.map(nameCells(paint))],
    'llr',
  );
  const since = titled(
    'since balancer start',
    [['share', 'attempts', 'failed'], ...lines.map(sinceCells(seen, lines))],
    paint,
  );
  const live = lines.every((line) => line.recent === null)
    ? null
    : titled(
        `last ${seconds(lines)} s`,
        [['share', 'per s', 'failed'], ...lines.map(liveCells(seen, lines, paint))],
        paint,
      );
  const wide = live === null ? [left, since] : [left, since, live];
  const blocks = live !== null && widthOfBlocks(wide) > columns ? [left, live] : wide;
  const [title = '', header = '', ...rows] = beside(blocks);
  return [
    `${paint.bold(seen.title)}  ${paint.dim(describeTraits(seen))}${title.slice(widthOf(seen.title) + 2 + widthOf(describeTraits(seen)))}`,
    paint.dim(header),
    ...rows,
    ...outlookLines(seen.outlook, paint, columns),
    ...leftOutLines(seen, paint, columns),
  ];
}

type Line = {
  readonly name: string;
  readonly state: string;
  readonly stateIs: 'good' | 'middling' | 'bad';
  readonly weight: string;
  readonly sinceStart: Count;
  readonly recent: CountOverTime | null;
};

function rowsOf(seen: Seen): Line[] {
  const { servers } = seen.tally.reading;
  if (seen.groups === null) {
    const lines = servers.map((server) => lineOf(seen, server.name, [server], stateOf(server)));
    return servers.length > 1 ? [...lines, lineOf(seen, 'all', servers, { state: '', stateIs: 'good' })] : lines;
  }
  return (['origin', 'destination'] as const).map((side) => {
    const members = servers.filter((server) => groupOf(seen.groups, server.name) === side);
    return lineOf(seen, side, members, stateOfGroup(members));
  });
}

function lineOf(
  { tally }: Seen,
  name: string,
  members: readonly ServerReading[],
  state: Pick<Line, 'state' | 'stateIs'>,
): Line {
  const names = new Set(members.map((server) => server.name));
  const { sinceStart, recent } = figuresOf(tally, (server) => names.has(server));
  const weights = [...new Set(members.map((server) => server.weight))];
  const weight =
    weights.length === 1
      ? String(weights[0])
      : weights.length === 0
        ? '–'
        : `${Math.min(...weights)}..${Math.max(...weights)}`;
  return { name, ...state, weight: name === 'all' ? '' : weight, sinceStart, recent };
}

function stateOf({ admin, health }: ServerReading): Pick<Line, 'state' | 'stateIs'> {
  if (admin !== 'ready') return { state: admin, stateIs: 'middling' };
  switch (health) {
    case 'up':
      return { state: 'up', stateIs: 'good' };
    case 'unchecked':
      return { state: 'no check', stateIs: 'middling' };
    case 'starting':
      return { state: 'starting', stateIs: 'middling' };
    case 'down':
      return { state: 'down', stateIs: 'bad' };
  }
}

function stateOfGroup(members: readonly ServerReading[]): Pick<Line, 'state' | 'stateIs'> {
  const able = members.filter((server) => server.admin === 'ready' && server.health === 'up').length;
  const unchecked = members.filter((server) => server.admin === 'ready' && server.health === 'unchecked').length;
  if (unchecked > 0) return { state: `${able + unchecked} of ${members.length} ready`, stateIs: 'middling' };
  const stateIs = able === members.length ? 'good' : able === 0 ? 'bad' : 'middling';
  return { state: `${able} of ${members.length} up`, stateIs };
}

function nameCells(paint: Paint): (line: Line) => string[] {
  const colours = { good: paint.green, middling: paint.yellow, bad: paint.red };
  return (line) => [line.name, colours[line.stateIs](line.state), line.weight];
}

function sinceCells(seen: Seen, lines: readonly Line[]): (line: Line) => string[] {
  const total = totalOf(seen, lines, (line) => line.sinceStart.attempts);
  return ({ sinceStart }) => [rate(sinceStart.attempts, total), whole(sinceStart.attempts), failed(seen, sinceStart)];
}

function liveCells(seen: Seen, lines: readonly Line[], paint: Paint): (line: Line) => string[] {
  const total = totalOf(seen, lines, (line) => line.recent?.attempts ?? 0);
  return ({ recent }) =>
    recent === null
      ? ['–', '–', '–']
      : [
          rate(recent.attempts, total),
          perSecond(recent.attempts, recent.ms),
          (recent.failures > 0 ? paint.yellow : plain)(failed(seen, recent)),
        ];
}

function plain(text: string): string {
  return text;
}

/** Of the servers, without the line `all`. */
function totalOf(seen: Seen, lines: readonly Line[], attempts: (line: Line) => number): number {
  return lines
    .filter((line) => seen.groups !== null || line.name !== 'all')
    .reduce((sum, line) => sum + attempts(line), 0);
}

/** There may be more failures than attempts: they belong to the moment they were seen, attempts to that of their start. */
function failed({ tally }: Seen, { attempts, failures }: Count): string {
  const { mode } = tally.reading.traits;
  if (mode.known && mode.value === 'tcp') return 'unknown';
  return attempts === 0 && failures > 0 ? whole(failures) : rate(Math.min(attempts, failures), attempts);
}

function seconds(lines: readonly Line[]): number {
  return Math.max(1, Math.round(Math.max(...lines.map((line) => line.recent?.ms ?? 0)) / 1000));
}

function titled(title: string, rows: readonly (readonly string[])[], paint: Paint): string[] {
  const lines = table(rows, 'rrr');
  const width = Math.max(...lines.map(widthOf));
  return [paint.dim(title.padStart(width)), ...lines];
}

function widthOfBlocks(blocks: readonly (readonly string[])[]): number {
  return blocks.reduce((sum, block) => sum + Math.max(...block.map(widthOf)), gap * (blocks.length - 1));
}

const gap = 4;

function beside(blocks: readonly (readonly string[])[]): string[] {
  const widths = blocks.map((block) => Math.max(...block.map(widthOf)));
  const height = Math.max(...blocks.map((block) => block.length));
  return Array.from({ length: height }, (_, at) =>
    blocks
      .map((block, index) => (block[at] ?? '') + ' '.repeat((widths[index] ?? 0) - widthOf(block[at] ?? '')))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

function describeTraits({ tally }: Seen): string {
  const { mode, algorithm } = tally.reading.traits;
  return `${mode.known ? mode.value : 'mode unknown'}, ${algorithm.known ? algorithm.value : 'balancing unknown'}`;
}

function outlookLines(outlook: Reading<Outlook>, paint: Paint, columns: number): string[] {
  const hanging = (text: string) =>
    wrapTo(text, columns - 9).map((line, at) => (at === 0 ? `  judge  ${line}` : `         ${line}`));
  const { sight, basis } = outlookTexts(outlook);
  if (basis === null) return hanging(sight).map(paint.dim);
  return [...hanging(sight), ...wrapTo(basis, columns - 9).map((line) => paint.dim(`         ${line}`))];
}

/** How soon the judge would see what, and what that rests on; null: it would see nothing yet. */
function outlookTexts(outlook: Reading<Outlook>): { readonly sight: string; readonly basis: string | null } {
  if (!outlook.known) return { sight: `what it would see is unknown: ${outlook.why}`, basis: null };
  const { traffic, rules, assumedShare, dispersion } = outlook.value;
  const scatter = dispersion.known
    ? `dispersion ${dispersion.value.toFixed(1)}, measured between the origin's servers`
    : `dispersion unknown (${dispersion.why}), ${rules.dispersion} assumed`;
  const share = assumedShare ? `a destination with ${percentage(traffic.share)} of this traffic` : 'this destination';
  const basis = `for ${share}, at ${percentage(traffic.baseline)} failed; ${scatter}`;
  return { sight: describeSights(traffic, rules), basis };
}

function leftOutLines({ tally, groups }: Seen, paint: Paint, columns: number): string[] {
  const names = tally.reading.servers.map((server) => server.name).filter((name) => groupOf(groups, name) === null);
  if (names.length === 0) return [];
  return wrapTo(`left out, of neither group: ${names.join(', ')}`, columns - 2).map((line) => paint.dim(`  ${line}`));
}

/** One line, for output that is not a terminal. */
export function summarizeSeen(seen: Seen): string {
  const { title, tally, groups } = seen;
  const side = (wanted: 'origin' | 'destination') => figuresOf(tally, (server) => groupOf(groups, server) === wanted);
  const [origin, destination] = [side('origin').recent, side('destination').recent];
  if (origin === null || destination === null) return `${title}  counting begins`;
  const attempts = origin.attempts + destination.attempts;
  const flow = `${title}  ${perSecond(attempts, origin.ms)} attempts/s`;
  if (groups === null) return `${flow}  failed ${failed(seen, origin)}`;
  const shares = `share ${rate(destination.attempts, attempts)}`;
  return `${flow}  ${shares}  failed ${failed(seen, origin)} at the origin, ${failed(seen, destination)} at the destination`;
}

/** What the judge would see, in one line, for output that is not a terminal. */
export function summarizeOutlook({ title, outlook }: Seen): string {
  const { sight, basis } = outlookTexts(outlook);
  return `${title}  judge: ${sight}${basis === null ? '' : ` (${basis})`}`;
}
