import { element, escaped, short } from './markup.ts';
import type { Place } from './strokes.ts';
import type { Tick } from './ticks.ts';

/** One of several pictures above each other that share the axis of time. */
export type Panel = {
  readonly title: string;
  /** After the title, in a lighter hand. */
  readonly unit: string;
  readonly keys: readonly Key[];
  readonly height: number;
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly Tick[];
  /** Markup within the panel: clipped at its edges. */
  readonly marks: (place: Place, size: Size) => string;
  /** At the right of the panel, where the lines end. */
  readonly ends: readonly { readonly value: number; readonly label: string; readonly class: string }[];
};

/** What a kind of line means. */
export type Key = { readonly class: string; readonly label: string };

export type Size = { readonly width: number; readonly height: number };

/** What all panels share. */
export type Frame = {
  readonly left: number;
  readonly width: number;
  /** Of the whole picture. */
  readonly total: number;
  readonly narrow: boolean;
  readonly endSeconds: number;
  readonly ticks: readonly Tick[];
};

/** The markup, and where the next panel may begin. */
export function drawPanel(
  panel: Panel,
  frame: Frame,
  top: number,
): { readonly markup: string; readonly below: number } {
  const head = top + 14;
  const plotTop = top + 24 + (frame.narrow ? 16 * panel.keys.length : 0);
  const place = placeIn(panel, frame);
  const size = { width: frame.width, height: panel.height };
  const unit = panel.unit === '' ? '' : element('tspan', { class: 'muted', dx: 8 }, escaped(panel.unit));
  const markup = [
    element('text', { class: 'title', x: 0, y: head }, escaped(panel.title) + unit),
    keys(panel.keys, frame, head),
    grid(panel, frame, plotTop, place),
    // A picture in the picture is clipped without an id, of which there may be one only.
    element('svg', { x: frame.left, y: plotTop, ...size }, panel.marks(place, size)),
    ends(panel, frame, plotTop, place),
  ];
  return { markup: markup.join(''), below: plotTop + panel.height };
}

function placeIn({ min, max, height }: Panel, { width, endSeconds }: Frame): Place {
  return {
    x: (seconds) => (seconds / endSeconds) * width,
    y: (value) => ((max - value) / (max - min)) * height,
  };
}

/** About the width of a letter; there is nobody to ask. */
const letter = 6.4;

function keys(all: readonly Key[], frame: Frame, head: number): string {
  const widths = all.map(({ label }) => 26 + label.length * letter + 18);
  let x = frame.left + frame.width - widths.reduce((sum, width) => sum + width, -18);
  let y = head;
  let markup = '';
  for (const [index, key] of all.entries()) {
    if (frame.narrow) [x, y] = [0, y + 16];
    const sample = element('path', { class: `line ${key.class}`, d: `M${short(x)} ${short(y - 4)}h20` });
    markup += sample + element('text', { class: 'label', x: x + 26, y }, escaped(key.label));
    x += widths[index] ?? 0;
  }
  return markup;
}

function grid({ ticks, height }: Panel, frame: Frame, top: number, { x, y }: Place): string {
  const { left, width } = frame;
  const down = frame.ticks.map(({ value }) => `M${short(left + x(value))} ${short(top)}v${short(height)}`);
  const across = ticks.map(({ value }) => `M${short(left)} ${short(top + y(value))}h${short(width)}`);
  const labels = ticks.map(({ value, label }) =>
    element('text', { class: 'label right', x: left - 8, y: top + y(value) + 4 }, escaped(label)),
  );
  return element('path', { class: 'grid', d: [...down, ...across].join('') }) + labels.join('');
}

function ends({ ends: all, min, max }: Panel, { left, width }: Frame, top: number, { y }: Place): string {
  let above = Number.NEGATIVE_INFINITY;
  const fromTop = [...all].sort((a, b) => b.value - a.value);
  return fromTop
    .map(({ value, label, class: name }) => {
      const at = top + y(Math.min(max, Math.max(min, value)));
      // Two labels need their heights between them.
      const beside = Math.max(at + 4, above + 14);
      above = beside;
      const dot = element('circle', { class: `dot ${name}`, cx: left + width, cy: at, r: 3.5 });
      return dot + element('text', { class: `end ${name}`, x: left + width + 8, y: beside }, escaped(label));
    })
    .join('');
}
