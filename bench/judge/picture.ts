/** One rule at one traffic. Seconds; Infinity: never. */
export type Drawn = {
  readonly rule: string;
  readonly traffic: string;
  /** What it does without traffic, if it takes nothing back. */
  readonly otherwise: string;
  readonly falseAlarms: number;
  readonly alarmSeconds: number | null;
  readonly seen: readonly { readonly ratio: number; readonly median: number; readonly p95: number }[];
};

const width = 840;
/** Of the times. */
const left = 290;
const right = 600;
const rowHeight = 36;
/** Between the lines of 3x, 5x and 10x. */
const lineHeight = 10;
const secondsMax = 4 * 3600;

/** For each rule and traffic a line: how often it takes back a good destination, and when it takes back bad ones. */
export function pictureOf(all: readonly Drawn[]): string {
  const traffics = [...new Set(all.map(({ traffic }) => traffic))].filter((traffic) => traffic !== 'none');
  const rules = [...new Set(all.map(({ rule }) => rule))];
  const panelHeight = rules.length * rowHeight + 88;
  const top = 72;
  const height = top + traffics.length * panelHeight + 4;
  const panels = traffics.map((traffic, index) =>
    panel(
      traffic,
      all.filter((one) => one.traffic === traffic),
      all,
      top + index * panelHeight,
    ),
  );
  const label =
    'For each rule: how often it takes back a destination that is as good as the origin within four hours, when it takes back one that ' +
    'fails 3, 5 or 10 times as often, and what it does without traffic.';
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">`,
    style,
    `<rect class="back" width="${width}" height="${height}" rx="8" />`,
    text(24, 34, 'When a bad destination is taken back, and how often a good one is', 'word'),
    text(
      24,
      54,
      '0.1 % of the requests fail at the origin; the median, and a line to the 95th percentile of the runs',
      'small',
    ),
    ...panels.flat(),
    '</svg>',
  ].join('\n')}\n`;
}

const style = `<style>
  .back { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #24292f } .word { font-weight: 600; font-size: 15px }
  .small { font-size: 12px; fill: #57606a } .bad { fill: #cf222e; font-weight: 600 } .grid { stroke: #d0d7de; stroke-width: 1 }
  .tag { font-size: 10px } .spread { stroke-width: 3; stroke-linecap: round } .r3 { fill: #8250df; stroke: #8250df } .r5 { fill: #bc4c00; stroke: #bc4c00 }
  .r10 { fill: #0969da; stroke: #0969da } text.r3, text.r5, text.r10 { stroke: none; font-weight: 600 } .ours { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9198a1 } .bad { fill: #ff7b72 } .grid { stroke: #3d444d }
    .r3 { fill: #d2a8ff; stroke: #d2a8ff } .r5 { fill: #ffa657; stroke: #ffa657 } .r10 { fill: #79c0ff; stroke: #79c0ff }
  }
</style>`;

function panel(traffic: string, rows: readonly Drawn[], all: readonly Drawn[], y: number): string[] {
  const bottom = y + 54 + rows.length * rowHeight;
  const ticks = [
    [1, '1 s'],
    [10, '10 s'],
    [60, '1 min'],
    [600, '10 min'],
    [3600, '1 h'],
    [secondsMax, '4 h'],
  ] as const;
  return [
    text(24, y + 20, `${traffic.replace('rps', 'requests/s')}, 9.1 % at the destination`, 'ours'),
    text(left - 24, y + 42, 'good one taken back', 'small', 'end'),
    text(right + 116, y + 42, 'not within 4 h', 'small', 'end'),
    text(width - 24, y + 42, 'without traffic', 'small', 'end'),
    ...ticks.flatMap(([seconds, name]) => [
      `<path class="grid" d="M${at(seconds)} ${y + 50} V${bottom}" />`,
      text(at(seconds), bottom + 16, name, 'small', 'middle'),
    ]),
    ...rows.flatMap((row, index) => line(row, all, y + 54 + index * rowHeight + rowHeight / 2)),
  ];
}

function line(row: Drawn, all: readonly Drawn[], y: number): string[] {
  const without = all.find(({ rule, traffic }) => rule === row.rule && traffic === 'none');
  const takesBack = without !== undefined && without.alarmSeconds !== null;
  const idle = takesBack ? 'takes back' : row.otherwise;
  const often = row.falseAlarms > 0.01;
  const never = row.seen.filter(({ median }) => !Number.isFinite(median)).map(({ ratio }) => `${ratio}x`);
  return [
    text(24, y + 4, row.rule, row.rule.startsWith('Drover') ? 'ours' : ''),
    text(left - 24, y + 4, share(row.falseAlarms), often ? 'bad' : 'small', 'end'),
    ...row.seen.flatMap((seen, index) => mark(seen, y + (index - 1) * lineHeight)),
    never.length === 0 ? '' : text(right + 116, y + 4, never.join(', '), 'bad', 'end'),
    text(width - 24, y + 4, idle, idle === 'waits' ? 'small' : 'bad', 'end'),
  ].filter((part) => part !== '');
}

function mark({ ratio, median, p95 }: Drawn['seen'][number], y: number): string[] {
  if (!Number.isFinite(median)) return [];
  const [from, to] = [at(median), at(Math.min(p95, secondsMax))];
  return [
    `<path class="spread r${ratio}" d="M${from} ${y} H${to}" />`,
    `<circle class="r${ratio}" cx="${from}" cy="${y}" r="3.5" />`,
    text(from - 7, y + 3.5, `${ratio}x`, `tag r${ratio}`, 'end'),
  ];
}

/** Logarithmic: a second is as far from ten as an hour from ten. */
function at(seconds: number): number {
  return Math.round(left + ((right - left) * Math.log(Math.max(1, seconds))) / Math.log(secondsMax));
}

function share(part: number): string {
  if (part === 0) return '0 %';
  return part < 0.1 ? `${(100 * part).toFixed(1)} %` : `${(100 * part).toFixed(0)} %`;
}

function text(x: number, y: number, content: string, kind: string, anchor = 'start'): string {
  const where = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}"${kind === '' ? '' : ` class="${kind}"`}${where}>${content}</text>`;
}
