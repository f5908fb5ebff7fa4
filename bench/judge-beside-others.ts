import { writeFile } from 'node:fs/promises';
import type { Asked, Bench } from './frame/bench.ts';
import { upperLimit } from './frame/limits.ts';
import { spreadOf } from './frame/spread.ts';
import { duration, percent, table } from './frame/table.ts';
import { type Contender, contenders, ratios, traffics } from './judge/beside.ts';
import { type Drawn, pictureOf } from './judge/picture.ts';
import { runAll } from './judge/runs.ts';

const picture = new URL('../docs/reference/judge-beside-others.svg', import.meta.url);

/** The same simulated rollouts, judged by Drover and by what other tools document: false alarms, delays, and no traffic at all. */
export const bench: Bench = {
  about:
    'false alarms and delays of Drover, Flagger, Argo Rollouts and Kayenta on the same streams; draws a picture into docs/',
  options: {
    runs: { about: 'rollouts of 4 hours for each rule, traffic and ratio', otherwise: 1000 },
    seed: { about: 'seed of the first run; the next ones follow', otherwise: 1 },
    picture: { about: '1: write docs/reference/judge-beside-others.svg, 0: leave it as it is', otherwise: 1 },
  },
  cases: contenders.map(({ name }) => name),
  run: async (asked, say) => {
    const rows: string[][] = [];
    const drawn: Drawn[] = [];
    for (const contender of contenders.filter(({ name }) => asked.cases.includes(name))) {
      const outcomes = await outcomesOf(contender.name, asked);
      rows.push(...outcomes.map((outcome) => rowOf(contender, outcome, asked.number('runs'))));
      drawn.push(...outcomes.map((outcome) => ({ rule: contender.name, otherwise: contender.otherwise, ...outcome })));
    }
    say(table(['rule', 'requests/s', 'false alarms in 4 h', '3x', '5x', '10x'], rows));
    say('\nTimes are medians / 95th percentiles since the first request. Rules:');
    for (const { name, about, source } of contenders) say(`- ${name}: ${about} (${source})`);
    if (asked.number('picture') === 1 && asked.cases.length === contenders.length) {
      await writeFile(picture, pictureOf(drawn));
      say('\nwritten: docs/reference/judge-beside-others.svg');
    }
    return [];
  },
};

type Outcome = {
  readonly traffic: string;
  /** Part of the runs in which a destination as good as the origin was taken back, and when, in seconds (the median). */
  readonly falseAlarms: number;
  readonly alarmSeconds: number | null;
  readonly seen: readonly { readonly ratio: number; readonly median: number; readonly p95: number }[];
};

async function outcomesOf(contender: string, asked: Asked): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name: traffic, share } of traffics) {
    const good = await secondsOf(contender, traffic, 1, asked);
    const alarms = good.filter((second) => second !== Number.POSITIVE_INFINITY);
    const seen = [];
    for (const ratio of share === 0 ? [] : ratios.filter((one) => one > 1)) {
      const { median, p95 } = spreadOf(await secondsOf(contender, traffic, ratio, asked));
      seen.push({ ratio, median, p95 });
    }
    const alarmSeconds = alarms.length === 0 ? null : spreadOf(alarms).median;
    outcomes.push({ traffic, falseAlarms: alarms.length / good.length, alarmSeconds, seen });
  }
  return outcomes;
}

/** Infinity: never. */
async function secondsOf(contender: string, traffic: string, ratio: number, asked: Asked): Promise<number[]> {
  const ended = await runAll({
    subject: 'contest',
    name: JSON.stringify({ contender, traffic, ratio }),
    firstSeed: asked.number('seed'),
    runs: asked.number('runs'),
    seconds: 0,
  });
  return ended.map(({ second }) => second ?? Number.POSITIVE_INFINITY);
}

function rowOf(contender: Contender, { traffic, falseAlarms, alarmSeconds, seen }: Outcome, runs: number): string[] {
  const rule = contender.name;
  if (traffic === 'none') {
    const said = alarmSeconds === null ? contender.otherwise : `taken back after ${duration(alarmSeconds)}`;
    return [rule, 'none at the destination', said, '', '', ''];
  }
  const alarms =
    falseAlarms === 0
      ? `0 (≤ ${percent(upperLimit(0, runs), 2)})`
      : `${percent(falseAlarms, falseAlarms < 0.1 ? 2 : 0)}`;
  const times = seen.map(({ median, p95 }) =>
    Number.isFinite(median) ? `${duration(median)} / ${Number.isFinite(p95) ? duration(p95) : 'never'}` : 'never',
  );
  return [rule, traffic.replace(' rps', ''), alarms, ...times];
}
