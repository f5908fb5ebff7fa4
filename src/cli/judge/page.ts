import type { GroupCounts } from '../../core/judge/forecast.ts';
import { promoteWays, type Rules, rollBackWays, type Verdict, verdict } from '../../core/judge/judge.ts';
import { whole } from '../terminal/figures.ts';
import { packageVersion } from '../version.ts';
import type { Course } from './course.ts';
import { drawFigure } from './figure.ts';
import { element, escaped, wholePage } from './markup.ts';
import { failedFraction, shareOf } from './strokes.ts';
import { style } from './style.ts';
import { plain } from './ticks.ts';
import { type Ending, outlook, percent } from './words.ts';

/** What was judged. `name`: of the recording, as it was given; it may be anything. */
export type Judged = Ending & { readonly course: Course; readonly name: string };

/**
 * The judge's work on one page of HTML, complete in itself: it asks for nothing, runs nothing, and is the same for the same
 * recording.
 */
export function pageOf(judged: Judged): string {
  const title = `${headline(judged)} (${judged.name})`;
  return wholePage({ title, style, hue: hueOf(judged), body: body(judged) });
}

function body(judged: Judged): string {
  const { course, name } = judged;
  const [word = '', rest = ''] = headline(judged).split(/(?= after )/);
  const from = name === '<stdin>' ? 'standard input' : name;
  return [
    '<header>',
    element('p', { class: 'kicker' }, `drover judge · ${escaped(from)} · ${escaped(windows(course))}`),
    element('h1', {}, element('span', { class: 'word' }, escaped(word)) + escaped(unbroken(rest))),
    element('p', { class: 'lead' }, escaped(unbroken(sentence(judged)))),
    '</header>',
    ...(course.windows === 0 ? [element('p', { class: 'empty' }, nothing)] : [tiles(judged), figure(judged)]),
    element('div', { class: 'below' }, meaning(judged.state.rules) + settings(judged.state.rules)),
    element('footer', {}, `Drawn by drover ${escaped(packageVersion())}. ${closing}`),
  ].join('\n');
}

const nothing = 'There is nothing to draw: the recording has its first line and no windows.';
const closing = 'The judge reads a recording up to its first verdict; what comes after it is not on this page.';

function hueOf({ state }: Judged): string {
  return { 'roll back': 'rollback', promote: 'promote', 'not enough evidence': 'wait' }[verdict(state).verdict];
}

function headline({ state, seconds }: Judged): string {
  const word = { 'roll back': 'Roll back', promote: 'Promote', 'not enough evidence': 'Not enough evidence' };
  return `${word[verdict(state).verdict]}${seconds === null ? '' : ` after ${elapsed(seconds)}`}`;
}

/** `1,234 s (20 min 34 s)`: seconds are what the recording counts in. */
function elapsed(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => `${whole(count)} ${unit}`);
  return seconds < 120 ? `${seconds} s` : `${whole(seconds)} s (${said.slice(0, 2).join('\u00a0')})`;
}

/** A number is not torn from its unit. */
function unbroken(text: string): string {
  return text.replace(/(?<=\d) (?=(?:%|s|min|h|d)\b|%)/g, '\u00a0');
}

function windows({ windows: count }: Course): string {
  return count === 1 ? '1 window' : `${whole(count)} windows`;
}

function sentence({ state, seconds, seen }: Judged): string {
  if (seconds === null) return 'Not enough evidence: there are no windows.';
  const found = verdict(state);
  const groups = `${failed(seen.destination)} at the destination failed and ${failed(seen.origin)} at the origin`;
  if (found.verdict === 'not enough evidence') {
    return `Not enough evidence: ${groups}; ${both(found)}; ${outlook(state, seen)}.`;
  }
  const { logEvidence, threshold, by } = found.verdict === 'promote' ? found.promote : found.rollBack;
  const reached = `the evidence to ${found.verdict}, ${plain(logEvidence, 2)}, reached its threshold of`;
  const way = by === 'absolute' ? 'against the objective' : 'by comparison';
  return `${headlineWord(found)}: ${groups}, and ${reached} ${plain(threshold, 2)} (${way}).`;
}

function headlineWord({ verdict: word }: Verdict): string {
  return word === 'promote' ? 'Promote' : 'Roll back';
}

function both({ rollBack, promote }: Verdict): string {
  const [back, on] = [rollBack, promote].map(
    ({ logEvidence, threshold }) => `${plain(logEvidence, 2)} of ${plain(threshold, 2)}`,
  );
  return `the evidence to roll back is ${back}, and to promote ${on}`;
}

function failed({ attempts, failures }: GroupCounts['origin']): string {
  return `${whole(failures)} of ${whole(attempts)} requests${attempts === 0 ? '' : ` (${percent(failures / attempts)})`}`;
}

function tiles(judged: Judged): string {
  const { origin, destination } = judged.seen;
  const { tolerate } = judged.state.rules;
  const { rollBack, promote } = verdict(judged.state);
  const evidence = ({ logEvidence, threshold }: Verdict['rollBack']) =>
    [plain(logEvidence, 2), `evidence of ${plain(threshold, 2)}`] as const;
  const shown = [
    ['destination', 'destination failed', fraction(failedFraction(destination)), ofAll(destination)],
    ['origin', 'origin failed', fraction(failedFraction(origin)), ofAll(origin)],
    ['rule', 'ratio of the two', ratio(judged), `${tolerate} is tolerated`],
    ['rule', 'share', fraction(shareOf(judged.seen)), 'of all requests'],
    ['rollback', 'to roll back', ...evidence(rollBack)],
    ['promote', 'to promote', ...evidence(promote)],
  ] as const;
  const each = shown.map(([mark, name, value, small]) =>
    element(
      'div',
      { style: `--mark: var(--${mark})` },
      element('dt', {}, escaped(name)) + element('dd', {}, `${escaped(value)} ${element('small', {}, escaped(small))}`),
    ),
  );
  return element('dl', { class: 'tiles' }, each.join(''));
}

function fraction(value: number | null): string {
  return value === null ? '–' : percent(value);
}

function ratio({ seen }: Judged): string {
  const [origin, destination] = [failedFraction(seen.origin), failedFraction(seen.destination)];
  if (origin === null || destination === null || origin === 0) return '–';
  return `${Number((destination / origin).toPrecision(3))}`;
}

function ofAll({ attempts, failures }: GroupCounts['origin']): string {
  return `${whole(failures)} of ${whole(attempts)}`;
}

function figure(judged: Judged): string {
  const { course, state, seen } = judged;
  const described = `${sentence(judged)} Four panels over the same time: evidence to roll back and evidence to promote, each with its threshold, the share of the destination, and the failed fractions of both groups.`;
  const drawn = {
    course,
    seen,
    rules: state.rules,
    rollBack: rollBackWays(state),
    promote: promoteWays(state),
    description: described,
  };
  return element('figure', {}, `\n${drawFigure(drawn, 'wide')}\n${drawFigure(drawn, 'narrow')}\n`);
}

function meaning({ alpha, beta, tolerate, bad, objective }: Rules): string {
  const [worse, better] =
    objective === null
      ? ['', '']
      : [' (dashed: more often than the objective)', ' (dashed: less often than the objective)'];
  const first = `Evidence to roll back is the natural logarithm of how much better the counts fit a destination that fails more than ${tolerate} times as often as the origin${worse} than one that does not; a destination that is good enough reaches the threshold with a probability of at most α = ${setting(alpha)}, however often one looks.`;
  const second = `Evidence to promote is the same for a destination that fails less than ${bad} times as often${better}: at the threshold, and with no evidence to roll back, the judge promotes, and one that is ${bad} times as bad gets there with a probability of at most β = ${setting(beta)}.`;
  const sentences = element('p', {}, escaped(first)) + element('p', {}, escaped(second));
  return element('section', {}, element('h2', {}, 'What the lines mean') + sentences);
}

function settings({ alpha, beta, tolerate, bad, dispersion, objective }: Rules): string {
  const rows = [
    ['--alpha', 'probability of a false roll back', alpha],
    ['--beta', 'probability of a false promotion', beta],
    ['--tolerate', 'ratio of failure rates that is tolerated', tolerate],
    ['--bad', 'ratio that promotion has to exclude', bad],
    ['--dispersion', 'how much more failures scatter than independent ones', dispersion],
    ['--objective', 'failed fraction that users accept', objective ?? 'none'],
  ] as const;
  const each = rows.map(([option, what, value]) => {
    const name = element('code', {}, option) + element('small', {}, what);
    return element('tr', {}, element('th', { scope: 'row' }, name) + element('td', {}, escaped(String(value))));
  });
  const table = element('table', {}, element('tbody', {}, each.join('')));
  return element('section', {}, element('h2', {}, 'Settings') + table);
}

/** A setting to its last digit: it is not a measurement. The smallest are clearer as they were written. */
function setting(fraction: number): string {
  return fraction < 1e-6 ? String(fraction) : `${Number((100 * fraction).toPrecision(12))} %`;
}
