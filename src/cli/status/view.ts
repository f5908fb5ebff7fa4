import type { GroupStatus, RolloutStatus } from '../../core/rollout/status.ts';
import { takenAtWords } from '../back/outcome.ts';
import { percentage, rate, whole } from '../terminal/figures.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { cutTo, widthOf, wrapTo } from '../terminal/text.ts';

/**
 * A rollout's status for people: groups, shares, failure rates, evidence against its thresholds, what it waits for. Where it is
 * narrow bars become shorter, and then what is needed least is left out: never the failure rates, the shares and the evidence.
 */
export function statusLines(status: RolloutStatus, paint: Paint, nowMs: number, columns = 80): string[] {
  const { rollBack, promote } = status.verdict;
  const rest = (label: string, text: string, colour = plain) =>
    wrapTo(text, columns - textAt).map((line, at) => `  ${(at === 0 ? label : '').padEnd(textAt - 2)}${colour(line)}`);
  const barred = (label: string, text: string, barOf: (width: number) => string) => {
    const width = barWidths.find((one) => textAt + one + 2 + widthOf(text) <= columns);
    return width === undefined ? rest(label, text) : [`  ${label.padEnd(textAt - 2)}${barOf(width)}  ${text}`];
  };
  return [
    ...wrapTo(`${paint.bold(status.operation)}  ${stageLine(status)}`, columns),
    ...groupLines(status, paint, columns),
    ...barred('share', shares(status), (width) => bar(status.observedShare, width, paint)),
    ...barred('roll back', evidence(rollBack), (width) => gauge(rollBack, width, paint.red)),
    ...(status.promotion === null
      ? rest('promote', promotionText(status), paint.dim)
      : barred('promote', evidence(promote), (width) => gauge(promote, width, paint.green))),
    ...rest('next', nextText(status, nowMs)),
    ...rest('scatter', dispersionText(status), paint.dim),
    ...(status.others.length === 0 ? [] : rest('left out', `${listed(status.others)}: of neither group`, paint.dim)),
    ...waitingTexts(status).flatMap(([label, text]) => rest(label, text, paint.yellow)),
  ];
}

function listed(items: readonly string[]): string {
  return items.length <= 4 ? items.join(', ') : `${items.slice(0, 3).join(', ')} and ${items.length - 3} more`;
}

/** The same in one line, for output that is not a terminal. */
export function statusSummary(status: RolloutStatus, nowMs: number): string {
  const { origin, destination, builds, verdict, promotion } = status;
  const group = (name: string, { environment, able, rps, attempts, failures }: GroupStatus, build: string) => {
    const flow = rps === null ? 'requests/s unknown' : `${whole(rps)} requests/s`;
    const failed = attempts === 0 ? 'no requests' : `failed ${rate(Math.min(failures, attempts), attempts)}`;
    return `${name} ${environment} (${build}): ${able ?? 'unknown'} able, ${flow}, ${failed}`;
  };
  return [
    `${status.operation}  ${stageLine(status)}`,
    `share ${shares(status)}`,
    group('origin', origin, builds.origin),
    group('destination', destination, builds.destination),
    `roll back: ${evidence(verdict.rollBack)}`,
    ...(promotion === null ? [] : [`promote: ${evidence(verdict.promote)}`]),
    `next: ${nextText(status, nowMs)}`,
    ...waitingTexts(status).map(([label, text]) => `${label}: ${text}`),
  ].join('; ');
}

/** Where the text of a labelled line begins. */
const textAt = 13;
/** The widest that fits beside its figures is taken. */
const barWidths = [24, 12, 6];

function plain(text: string): string {
  return text;
}

function stageLine({ stageName, held }: RolloutStatus): string {
  return held === null ? stageName : `${stageName}, held`;
}

function groupLines(status: RolloutStatus, paint: Paint, columns: number): string[] {
  const buildMax = columns < 100 ? 10 : 24;
  const rows = [
    titles.map((cell) => paint.dim(cell)),
    groupRow('origin', status.origin, cutTo(status.builds.origin, buildMax), paint),
    groupRow('destination', status.destination, cutTo(status.builds.destination, buildMax), paint),
  ];
  const drawn = shownColumns.map((shown) => {
    const cells = rows.map((row) => shown.map((at) => row[at] ?? ''));
    return table(cells, shown.map((at) => (at < 3 ? 'l' : 'r')).join('')).map((line) => `  ${line}`);
  });
  return drawn.find((lines) => lines.every((line) => widthOf(line) <= columns)) ?? drawn.at(-1) ?? [];
}

const titles = ['', 'environment', 'build', 'able', 'requests/s', 'failed'];
/** Of `titles`, the fullest first: how a group fares is shown to the last. */
const shownColumns: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5],
  [0, 1, 3, 4, 5],
  [0, 3, 4, 5],
  [0, 4, 5],
  [0, 5],
];

function groupRow(name: string, group: GroupStatus, build: string, paint: Paint): string[] {
  const able = group.able === null ? 'unknown' : String(group.able);
  const isShort = group.need !== null && group.able !== null && group.able < group.need;
  const need = group.need === null ? '' : ` (needs ${group.need})`;
  return [
    name,
    group.environment,
    build,
    (isShort ? paint.red : plain)(`${able}${need}`),
    group.rps === null ? 'unknown' : whole(group.rps),
    group.attempts === 0
      ? '–'
      : `${rate(Math.min(group.failures, group.attempts), group.attempts)} of ${whole(group.attempts)}`,
  ];
}

function shares({ observedShare, requestedShare, stage }: RolloutStatus): string {
  const observed = observedShare === null ? 'unknown' : percentage(observedShare);
  if (requestedShare !== null) return `observed ${observed}, asked for ${percentage(requestedShare)}`;
  return `observed ${observed}, ${stage.startsWith('drill') ? 'as the lowest weight makes it' : 'as capacity makes it'}`;
}

/** Why nothing is promoted now. */
function promotionText({ compared }: RolloutStatus): string {
  return compared
    ? 'no step is judged at the moment'
    : 'at 100 % nothing is compared: only the objective and the tripwires watch';
}

/** When the rollout goes on, and what it takes until then. */
function nextText(status: RolloutStatus, nowMs: number): string {
  const { promotion, loadRps, bakeMs, stage, stageSinceMs, held, back, blockers } = status;
  if (back?.journalled === false) return 'sizes and states as they were found, once the journal can be written';
  if (held !== null)
    return `nothing until \`drover resume${held.blamed.length > 0 ? ' --reason TEXT' : ''}\`; the way back is watched for`;
  const leftMs = bakeMs === null ? 0 : Math.max(0, bakeMs - (nowMs - stageSinceMs));
  const bake = leftMs > 0 ? duration(leftMs / 1000) : null;
  if (promotion === null) {
    if (bakeMs === null)
      return stage.startsWith('drill') ? 'the first step, once the drill has passed' : 'follows from what is read back';
    if (bake === null && blockers.length > 0) return 'goes on once it waits for nothing';
    return bake === null ? 'goes on now' : `goes on in ${bake}, if neither objective nor tripwire objects`;
  }
  const baked = bake === null ? '' : `, and not within the next ${bake}`;
  switch (promotion.kind) {
    case 'requests': {
      if (promotion.requests === 0) {
        if (blockers.length > 0)
          return `promotes once it waits for nothing${bake === null ? '' : `, in ${bake} at the earliest`}: there is enough evidence`;
        return bake === null ? 'promotes now' : `promotes in ${bake}: there is enough evidence`;
      }
      const time = loadRps === null || loadRps <= 0 ? '' : ` (${duration(promotion.requests / loadRps)} at this load)`;
      return `promotes after about ${whole(promotion.requests)} more requests${time}${baked}`;
    }
    case 'never':
      return promotion.why;
    case 'unknown':
      return `how long it takes is unknown: ${promotion.why}`;
  }
}

const words = { comparison: 'comparison', absolute: 'objective' } as const;

function dispersionText({ verdict: { dispersion } }: RolloutStatus): string {
  if (dispersion.known)
    return `failures scatter ${dispersion.value.toFixed(1)} times as much as by chance at the origin`;
  return `not measured yet (${dispersion.why}): the policy's dispersion counts`;
}

function waitingTexts({ held, blockers, back, troubles, unserved, byHand }: RolloutStatus): [string, string][] {
  return [
    ...unserved.map((text): [string, string] => ['unserved', text]),
    ...troubles.map((text): [string, string] => ['trouble', text]),
    ...byHand.map((text): [string, string] => ['by hand', text]),
    ...(back === null ? [] : [['back', backText(back)] as [string, string]]),
    ...(held === null ? [] : [['held', `by ${held.by}: ${held.why}`] as [string, string]]),
    ...blockers.map((text): [string, string] => ['waits', text]),
    ...(back?.standing ?? []).map((text): [string, string] => ['standing', text]),
  ];
}

function backText(back: NonNullable<RolloutStatus['back']>): string {
  return back.journalled ? takenAtWords(back) : `${takenAtWords(back)}; the journal does not know it yet`;
}

function bar(share: number | null, width: number, paint: Paint): string {
  const filled = Math.round((share ?? 0) * width);
  return `${paint.cyan('█'.repeat(filled))}${paint.dim('░'.repeat(width - filled))}`;
}

type Evidence = RolloutStatus['verdict']['rollBack'];

function gauge({ logEvidence, threshold }: Evidence, width: number, colour: (text: string) => string): string {
  const filled = Math.max(0, Math.min(width, Math.floor((logEvidence / threshold) * width)));
  return `${colour('█'.repeat(filled))}${'░'.repeat(width - filled)}`;
}

function evidence({ logEvidence, threshold, by }: Evidence): string {
  // What rounds to zero is zero, without a sign.
  return `evidence ${(Number(logEvidence.toFixed(1)) || 0).toFixed(1)} of ${threshold.toFixed(1)}, by the ${words[by]}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return seconds < 36 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
