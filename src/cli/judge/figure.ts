import type { Rules, Ways } from '../../core/judge/judge.ts';
import type { Course, Point, Track } from './course.ts';
import { element, escaped, short } from './markup.ts';
import { drawPanel, type Frame, type Key, type Panel } from './panel.ts';
import { type Bins, binsOf, evidenceStroke, failedFraction, type Place, shareOf, stepStroke } from './strokes.ts';
import { duration, plain, timeTicks, valueTicks } from './ticks.ts';
import { percent } from './words.ts';

export type Figure = {
  readonly course: Course;
  readonly rules: Rules;
  readonly rollBack: Ways;
  readonly promote: Ways;
  readonly seen: Pick<Point, 'origin' | 'destination'>;
  /** What it shows, for who does not see it. */
  readonly description: string;
};

/** The same picture for two widths: one that were only scaled could not be read on a phone. Markup of one `svg`. */
export function drawFigure(figure: Figure, shape: 'wide' | 'narrow'): string {
  const frame = frameOf(figure.course, shape === 'narrow');
  const bins = binsOf(figure.course.points, frame.endSeconds, shape === 'narrow' ? 40 : 80);
  const panels = [rollBackPanel(figure), promotePanel(figure), sharePanel(figure, bins), ratesPanel(figure, bins)];
  let top = 0;
  let markup = '';
  for (const panel of panels) {
    const drawn = drawPanel(panel, frame, top);
    markup += drawn.markup;
    top = drawn.below + 22;
  }
  markup += timeAxis(frame, top - 22);
  const [title, description] = [`${shape}-title`, `${shape}-description`];
  const told =
    element('title', { id: title }, 'Evidence over time') +
    element('desc', { id: description }, escaped(figure.description));
  const names = { role: 'img', 'aria-labelledby': title, 'aria-describedby': description };
  return element('svg', { class: shape, viewBox: `0 0 ${frame.total} ${top + 22}`, ...names }, told + markup);
}

function frameOf({ points }: Course, narrow: boolean): Frame {
  // A recording that ends at second 0 has a length too.
  const endSeconds = Math.max(1, points.at(-1)?.toSeconds ?? 0);
  const ticks = timeTicks(endSeconds, narrow ? 5 : 10);
  const [total, left, right] = narrow ? [360, 44, 52] : [920, 52, 60];
  return { left, width: total - left - right, total, narrow, endSeconds, ticks };
}

function timeAxis({ left, width, endSeconds, ticks }: Frame, top: number): string {
  const labels = ticks.map(({ value, label }) =>
    element('text', { class: 'label middle', x: left + (value / endSeconds) * width, y: top + 18 }, escaped(label)),
  );
  const caption = 'since the recording began';
  const y = top + 36;
  return labels.join('') + element('text', { class: 'label right', x: left + width, y }, caption);
}

function rollBackPanel({ course, rules, rollBack }: Figure): Panel {
  const tracks = { start: course.start.rollBack, track: (point: Point) => point.rollBack };
  return evidencePanel(course, {
    ...tracks,
    ways: rollBack,
    verb: 'roll back',
    error: rules.alpha,
    letter: 'α',
    depth: 2.2,
  });
}

function promotePanel({ course, rules, promote }: Figure): Panel {
  const tracks = { start: course.start.promote, track: (point: Point) => point.promote };
  return evidencePanel(course, {
    ...tracks,
    ways: promote,
    verb: 'promote',
    error: rules.beta,
    letter: 'β',
    depth: 1.2,
  });
}

type Kind = {
  readonly start: Track;
  readonly track: (point: Point) => Track;
  readonly ways: Ways;
  readonly verb: 'roll back' | 'promote';
  readonly error: number;
  readonly letter: string;
  /** How far below 0 is shown, in thresholds. Evidence to roll back begins anew each minute, and has a floor. */
  readonly depth: number;
};

function evidencePanel(course: Course, kind: Kind): Panel {
  const { ways, verb } = kind;
  const hue = verb === 'promote' ? 'promote' : 'rollback';
  const range = rangeOf(course, kind);
  // Evidence may be boundless on both sides; what matters is how it lies to its threshold.
  const unit = Math.max(1, ways.threshold);
  const min = Math.min(-0.12 * unit, 1.1 * Math.max(range.min, -kind.depth * unit));
  // A seventh of the height above the threshold has room for its words.
  const max = Math.max((ways.threshold - min / 7) * (7 / 6), 1.1 * Math.min(range.max, 3 * unit));
  const keys = [{ class: hue, label: 'comparison with the origin' }];
  const ends = [{ value: ways.comparison, label: plain(ways.comparison, 2), class: hue }];
  if (ways.absolute !== null) {
    keys.push({ class: `${hue} absolute`, label: 'absolute, against the objective' });
    ends.push({ value: ways.absolute, label: plain(ways.absolute, 2), class: `${hue} absolute` });
  }
  return {
    title: `Evidence to ${verb}`,
    unit: '',
    keys,
    height: 172,
    min,
    max,
    ticks: valueTicks(min, max, 4),
    marks: (place, { width, height }) =>
      element('rect', { class: `zone ${hue}`, x: 0, y: 0, width, height: place.y(ways.threshold) }) +
      element('path', { class: 'zero', d: `M0 ${short(place.y(0))}h${width}` }) +
      evidenceLines(course, kind, place, hue) +
      element('path', { class: `threshold ${hue}`, d: `M0 ${short(place.y(ways.threshold))}h${width}` }) +
      element('text', { class: `note ${hue}`, x: 8, y: place.y(ways.threshold) - 7 }, thresholdWords(kind)) +
      beyond(range, { min, max }, width, height),
    ends,
  };
}

function thresholdWords({ ways, error, letter, verb }: Kind): string {
  const one = ways.absolute === null ? 1 : 2;
  return escaped(`${verb} at ${plain(ways.threshold, 2)} = ln(${one}/${letter}), ${letter} = ${error}`);
}

function evidenceLines(course: Course, { start, track }: Kind, place: Place, hue: string): string {
  const line = (name: string, way: keyof Track): string => {
    const from = start[way];
    if (from === null) return '';
    const spans = course.points.map((point) => [point.toSeconds, track(point)[way] ?? from] as const);
    return element('path', { class: `line ${name}`, d: evidenceStroke(from, spans, place) });
  };
  return line(`${hue} absolute`, 'absolute') + line(hue, 'comparison');
}

type Range = { readonly min: number; readonly max: number };

function rangeOf({ points }: Course, { start, track }: Kind): Range {
  let [min, max] = [0, 0];
  for (const { comparison, absolute } of [start, ...points.map(track)]) {
    min = Math.min(min, comparison.min, absolute?.min ?? min);
    max = Math.max(max, comparison.max, absolute?.max ?? max);
  }
  return { min, max };
}

/** What lies outside is told, for a line that leaves the picture could go anywhere. */
function beyond(range: Range, shown: Range, width: number, height: number): string {
  const at = { class: 'note right muted', x: width - 8 };
  const up = range.max > shown.max ? element('text', { ...at, y: 14 }, `▲ up to ${plain(range.max, 0)}`) : '';
  const down = range.min < shown.min;
  return down ? up + element('text', { ...at, y: height - 6 }, `▼ down to ${plain(range.min, 0)}`) : up;
}

function sharePanel({ seen }: Figure, bins: Bins): Panel {
  const shares = bins.points.flatMap((point) => shareOf(point) ?? []);
  const max = Math.min(1, 1.15 * Math.max(0.01, ...shares));
  const all = shareOf(seen);
  return {
    title: 'Share of the destination',
    unit: per(bins),
    keys: [{ class: 'destination', label: all === null ? 'no requests' : `observed, ${percent(all)} in all` }],
    height: 72,
    ...percentScale(max, 2),
    marks: (place) => element('path', { class: 'line destination', d: stepStroke(bins.points, shareOf, place) }),
    ends: [],
  };
}

function ratesPanel({ seen, rules: { objective } }: Figure, bins: Bins): Panel {
  const side = (name: 'origin' | 'destination') => (point: Point) => failedFraction(point[name]);
  const rates = bins.points.flatMap((point) => [side('origin')(point) ?? [], side('destination')(point) ?? []].flat());
  const max = Math.min(1, 1.15 * Math.max(0.001, objective ?? 0, ...rates));
  const keys: Key[] = (['destination', 'origin'] as const).map((name) => {
    const all = failedFraction(seen[name]);
    return { class: name, label: `${name}, ${all === null ? 'no requests' : `${percent(all)} in all`}` };
  });
  if (objective !== null) keys.push({ class: 'objective', label: `objective, ${percent(objective)}` });
  return {
    title: 'Failed requests',
    unit: per(bins),
    keys,
    height: 108,
    ...percentScale(max, 3),
    marks: (place, { width }) =>
      (objective === null
        ? ''
        : element('path', { class: 'line objective', d: `M0 ${short(place.y(objective))}h${width}` })) +
      element('path', { class: 'line origin', d: stepStroke(bins.points, side('origin'), place) }) +
      element('path', { class: 'line destination', d: stepStroke(bins.points, side('destination'), place) }),
    ends: [],
  };
}

function percentScale(max: number, count: number): Pick<Panel, 'min' | 'max' | 'ticks'> {
  const ticks = valueTicks(0, 100 * max, count, ' %').map(({ value, label }) => ({ value: value / 100, label }));
  // Room for a line that lies on 0.
  return { min: -0.03 * max, max, ticks };
}

function per({ seconds }: Bins): string {
  return seconds === null ? 'by window' : `by ${duration(seconds)}`;
}
