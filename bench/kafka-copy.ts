import type { Asked, Bench, Say } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { describeSpread, ratiosOf, spreadOf } from './frame/spread.ts';
import { table } from './frame/table.ts';
import { labVersion, openLab } from './kafka/lab.ts';
import { measureRow, type RowTurns } from './kafka/measure-row.ts';
import { type Row, rows } from './kafka/rows.ts';
import type { Turn } from './kafka/turns.ts';

const relayPartMin = 0.85;

/** What a copy costs beside MirrorMaker 2's, and how fast it is beside a relay that does nothing but patch. */
export const bench: Bench = {
  about:
    'a topic copied by the mover, by MirrorMaker 2 and by a raw relay, in turns, between the same two brokers: CPU, throughput, memory',
  options: {
    runs: { about: 'copies by each', otherwise: 3 },
    megabytes: { about: 'of records in a copy (half as many of small ones)', otherwise: 1000 },
    seed: { about: 'of the records', otherwise: 1 },
    all: { about: 'also what nothing particular was promised of', otherwise: 0, isFlag: true },
  },
  cases: rows.map(({ name }) => name),
  run: async (asked, say) => {
    const chosen = chosenRows(asked);
    const lab = await openLab();
    try {
      say(introduction);
      const measured: RowTurns[] = [];
      for (const row of chosen) {
        const bytes = asked.number('megabytes') * 1e6 * (row.recordBytes < 1000 ? 0.5 : 1);
        const wish = { bytes, runs: asked.number('runs'), seed: asked.number('seed') };
        measured.push(await measureRow(lab, row, wish, say));
      }
      say(`\n${table(header, measured.map(lineOf))}`);
      sayStart(measured, say);
      return measured.flatMap(goalsOf);
    } finally {
      await lab.close();
    }
  },
};

const introduction = [
  `two clusters of one broker each, Apache Kafka ${labVersion}, heap 1 GiB, and whoever copies, all on this machine; replication factor 1`,
  'records by kcat; what MirrorMaker 2 copied is counted, what we copied is compared with the source batch by batch, by checksums',
  'ours: from the word to begin to the end of the copy; MirrorMaker 2: from 50 to 95 % of the records, scaled to all of them',
].join('\n');

/** Without a word: the usual ones, or all that are asked for. */
function chosenRows(asked: Asked): Row[] {
  const isEverything = asked.cases.length === rows.length;
  return rows.filter(
    ({ name, isUsual }) => asked.cases.includes(name) && (!isEverything || isUsual || asked.number('all') === 1),
  );
}

const header = [
  'case',
  'stored batch',
  'MB/s: mover, one in flight, relay, MM2',
  'CPU-s per GB: mover, one in flight, MM2',
  'times cheaper',
  'of the relay',
  "target's CPU-s per GB: mover, MM2",
  'MiB: mover, MM2',
];

function lineOf(measured: RowTurns): string[] {
  const { row, batchKib, bytes, turns } = measured;
  const median = (of: (turn: (typeof turns)[number]) => number) => spreadOf(turns.map(of)).median;
  const rate = (turn: Turn) => bytes / 1e6 / turn.seconds;
  const perGb = (seconds: number) => seconds / (bytes / 1e9);
  const list = (values: readonly number[], digits: number) => values.map((value) => value.toFixed(digits)).join(', ');
  const { several, one, relay, mirrorMaker } = {
    several: (turn: (typeof turns)[number]) => turn.several,
    one: (turn: (typeof turns)[number]) => turn.one,
    relay: (turn: (typeof turns)[number]) => turn.relay,
    mirrorMaker: (turn: (typeof turns)[number]) => turn.mirrorMaker,
  };
  return [
    row.name,
    `${batchKib.toFixed(0)} KiB`,
    list(
      [several, one, relay, mirrorMaker].map((who) => median((turn) => rate(who(turn)))),
      0,
    ),
    list(
      [several, one, mirrorMaker].map((who) => median((turn) => perGb(who(turn).cpuSeconds))),
      2,
    ),
    describeSpread(cheaper(measured)),
    describeSpread(beside(measured), 2),
    list(
      [several, mirrorMaker].map((who) => median((turn) => perGb(who(turn).targetCpuSeconds))),
      1,
    ),
    list(
      [several, mirrorMaker].map((who) => median((turn) => who(turn).peakMib)),
      0,
    ),
  ];
}

function cheaper({ turns }: RowTurns) {
  return ratiosOf(
    turns.map(({ several, mirrorMaker }) => ({ ours: mirrorMaker.cpuSeconds, theirs: several.cpuSeconds })),
  );
}

/** Throughput, so the relay's seconds by ours. */
function beside({ turns }: RowTurns) {
  return ratiosOf(turns.map(({ several, relay }) => ({ ours: relay.seconds, theirs: several.seconds })));
}

function goalsOf(measured: RowTurns): Goal[] {
  const { name, goal } = measured.row;
  const [cost, speed] = [cheaper(measured), beside(measured)];
  const promised = `${name}: CPU-seconds ≥ ${goal} times fewer than MirrorMaker 2's`;
  return [
    ...(goal === null ? [] : [{ promised, found: cost.median.toFixed(1), met: cost.median >= goal }]),
    {
      promised: `${name}: throughput ≥ ${relayPartMin} of the relay's`,
      found: speed.median.toFixed(2),
      met: speed.median >= relayPartMin,
    },
  ];
}

function sayStart(measured: readonly RowTurns[], say: Say): void {
  const all = measured.flatMap(({ turns }) => turns);
  const spread = (of: (turn: (typeof all)[number]) => number) => describeSpread(spreadOf(all.map(of)));
  const ours = spread(({ several }) => several.startCpuSeconds);
  const theirs = spread(({ mirrorMaker }) => mirrorMaker.startCpuSeconds);
  say(`before the first record, not in the table: mover ${ours} CPU-s, MirrorMaker 2 ${theirs} CPU-s`);
}
