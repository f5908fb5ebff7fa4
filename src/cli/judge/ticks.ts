export type Tick = { readonly value: number; readonly label: string };

const minute = 60;
const hour = 3600;
const day = 86_400;

/** Lengths that people count time in. */
const timeSteps = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
];

/** The shortest usual length of which at most `countMax` make up `seconds`. */
export function timeStep(seconds: number, countMax: number): number {
  const step = timeSteps.find((each) => seconds / each <= countMax);
  return step ?? Math.max(1, roundStep(seconds / countMax / day)) * day;
}

/** From 0 to `seconds`, at most `countMax` + 1 of them. */
export function timeTicks(seconds: number, countMax: number): Tick[] {
  const step = timeStep(seconds, countMax);
  return multiples(step, 0, seconds).map((value) => ({ value, label: value === 0 ? '0' : duration(value, step) }));
}

/** `90 s`, `15 min`, `3 h`: in the unit of `step`. */
export function duration(seconds: number, step = seconds): string {
  const [size, unit] = unitOf(step);
  return `${(seconds / size).toLocaleString('en')} ${unit}`;
}

function unitOf(step: number): readonly [number, string] {
  if (step >= day && step % day === 0) return [day, 'd'];
  if (step >= hour && step % hour === 0) return [hour, 'h'];
  return step >= minute && step % minute === 0 ? [minute, 'min'] : [1, 's'];
}

/** About `count` round numbers within the range. */
export function valueTicks(min: number, max: number, count: number, suffix = ''): Tick[] {
  const step = roundStep((max - min) / count);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return multiples(step, min, max).map((value) => ({
    value,
    label: `${plain(value, value === 0 ? 0 : digits)}${suffix}`,
  }));
}

/** A minus sign as wide as a digit; and what rounds to zero has none. */
export function plain(value: number, digits: number): string {
  const rounded = Number(value.toFixed(digits)) || 0;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return rounded.toLocaleString('en', options).replace('-', '−');
}

function multiples(step: number, min: number, max: number): number[] {
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** 1, 2 or 5 times a power of ten: the next one that is not smaller. */
function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return ([1, 2, 5].find((each) => each * power >= size * (1 - 1e-9)) ?? 10) * power;
}
