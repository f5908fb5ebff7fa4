import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HaproxyHarness } from '../../haproxy-harness.ts';
import {
  asServersSay,
  asUsersSay,
  atDestinationOnly,
  atLeast,
  attempts,
  equal,
  type Fault,
  failures,
  goesOn,
  type Outcome,
  takenBack,
} from '../fault.ts';
import type { Scene } from '../scene.ts';
import { everyNth, fails, streams } from '../servers.ts';

/** Both sides fail alike, and as often as users accept: there is something to count, and nothing to take back. */
const alike = { objective: 0.5 } as const;

function failAlike(scene: Scene): void {
  scene.does('origin', everyNth(5, fails));
  scene.does('destination', everyNth(5, fails));
}

const cutCount = 8;

/** What somebody else does to the balancer, or to Drover's way to it. */
export const balancerFaults: readonly Fault[] = [
  {
    name: 'an external reload',
    sees: '500 as before; streams of the old process end as they would have',
    counts: 'failed requests, without those that end in the old process, which nobody can ask any more',
    decides: 'repairs it: a new process has the configured weights, and gets those of the step again',
    entries: ['balancer-restarted'],
    rollout: 'rollout/bad-days.ts',
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      scene.does('origin', streams(40, 'broken off'));
      scene.does('destination', streams(40, 'broken off'));
      const cut = scene.users.askAtOnce(cutCount);
      await scene.until(() => scene.busy() === cutCount && scene.open() === cutCount, 'the streams run');
      failAlike(scene);
      await scene.haproxies[0]?.restart();
      await scene.until(() => weightsOf(scene).join() === '100,100,100,100', 'the weights of the step');
      await scene.passes(2);
      await cut;
      scene.users.reconnect();
      await scene.users.ask(80);
    },
    holds: (outcome) => [
      equal('attempts = requests', attempts(outcome), outcome.users.asked),
      equal(
        'failures = failed requests − those that ended in the old process',
        failures(outcome),
        outcome.users.failed - cutCount,
      ),
      equal('users who saw the streams break off = all', outcome.users.how['200, broken off'] ?? 0, cutCount),
      atLeast('failures ≥ 20', failures(outcome), 20),
    ],
  },
  {
    name: 'two HAProxies, one stopped (SIGSTOP) when the way back is taken',
    sees: '500 at both until the way back; the stopped one answers nobody until it goes on',
    counts: 'failed requests; the stopped one adds nothing while it is stopped, and all of it afterwards',
    decides: 'way back at once where it is answered, and at the other when it goes on',
    entries: takenBack.entries,
    rollout: 'rollout/several.ts',
    setting: { haproxies: 2 },
    async play(scene) {
      const [, other] = scene.haproxies;
      if (other?.freeze == null) throw new Error('this needs a second HAProxy that can be stopped');
      await scene.users.ask(40);
      await scene.users.ask(40, other.url);
      scene.does('destination', fails);
      const thaw = await other.freeze();
      try {
        const waiting = scene.users.askAtOnce(6, other.url);
        await scene.users.askUntil(() => scene.controller.decided.length > 0, 'a decision');
        const failedBefore = failedOf(scene);
        await scene.users.ask(40);
        scene.note('failed where it was taken back, while the other was stopped', failedOf(scene) - failedBefore);
        await thaw();
        await waiting;
      } finally {
        await thaw();
      }
      await scene.untilBack();
      const failedBefore = failedOf(scene);
      await scene.users.ask(20, other.url);
      scene.note('failed at the other after it went on', failedOf(scene) - failedBefore);
    },
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
      ...Object.entries(outcome.notes).map(([name, value]) => equal(`${name} = 0`, value, 0)),
    ],
  },
  {
    name: 'weights raised by hand',
    sees: '500 as before',
    counts: 'failed requests, by the share that was observed and not by the one that was asked for',
    decides: 'tells it, and lowers them again',
    entries: ['set-by-hand'],
    rollout: null,
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      await write(scene.haproxies[0], { 'new-1': 250, 'new-2': 250 });
      await scene.users.askUntil(() => weightsOf(scene).join() === '100,100,250,250', 'it was seen');
      await scene.users.askUntil(() => weightsOf(scene).join() === '100,100,100,100', 'it was lowered');
      await scene.users.ask(40);
    },
    holds: countsAlike,
  },
  {
    name: 'weights lowered by hand',
    sees: '500 as before',
    counts: 'failed requests, by the share that was observed',
    decides: 'holds: somebody took traffic back and knows why; nothing is raised',
    entries: ['set-by-hand', "held: somebody lowered the destination's share at edge"],
    rollout: null,
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      await write(scene.haproxies[0], { 'new-1': 10, 'new-2': 10 });
      await scene.users.askUntil(() => scene.controller.decided.length > 1, 'a decision');
      await scene.users.ask(80);
      scene.note('weight of new-1 at the end', weightsOf(scene)[2] ?? -1);
    },
    holds: (outcome) => [
      ...countsAlike(outcome),
      equal('weight of new-1 at the end = as set by hand', outcome.notes['weight of new-1 at the end'] ?? -1, 10),
    ],
  },
  {
    name: 'an origin server at weight 0 by hand',
    sees: '500 as before',
    counts: 'failed requests, by the share that was observed',
    decides: 'leaves it aside; the others keep the share of the step',
    entries: ['set-by-hand', 'intended: the groups changed'],
    rollout: 'rollout/lines.ts',
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      await scene.passes(2);
      await write(scene.haproxies[0], { 'old-1': 0 });
      await scene.users.askUntil(() => weightsOf(scene).join() === '0,100,50,50', 'the share of the step beside it');
      await scene.users.ask(80);
    },
    holds: countsAlike,
  },
  {
    name: 'a server line that disappears in a reload',
    sees: '500 as before',
    counts: 'failed requests; what was counted of the server stays counted',
    decides: 'repairs it: the servers that are left get the share of the step',
    entries: ['balancer-restarted', 'intended: the groups changed'],
    rollout: null,
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      await scene.passes(2);
      const haproxy = scene.haproxies[0]?.haproxy;
      if (haproxy === undefined) throw new Error('no HAProxy');
      await haproxy.reload(sectionsOf(haproxy.configFile).filter((line) => !line.includes('server new-2 ')));
      scene.users.reconnect();
      await scene.passes(2);
      await scene.users.askUntil(
        () => weightsOf(scene).join() === '100,100,200',
        'the share of the step on what is left',
      );
      await scene.users.ask(80);
    },
    holds: countsAlike,
  },
  {
    name: 'a server that is deleted while HAProxy runs',
    sees: '500 as before',
    counts: 'failed requests; what was counted of the server stays counted',
    decides: 'holds: who puts a server into maint takes traffic back',
    entries: ['held: somebody took new-2 out (maint) at edge'],
    rollout: null,
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      await command(scene.haproxies[0], 'set server web/new-2 state maint');
      await scene.users.askUntil(() => scene.controller.decided.length > 0, 'a decision');
      await scene.passes(2);
      await deleted(scene.haproxies[0], 'web/new-2');
      await scene.users.askUntil(() => weightsOf(scene).length === 3, 'it is gone');
      await scene.users.ask(80);
    },
    holds: countsAlike,
  },
  {
    name: 'counters cleared by hand',
    sees: '500 as before',
    counts: 'failed requests, but for what happens until the next reading',
    ...goesOn,
    rollout: null,
    setting: alike,
    async play(scene) {
      failAlike(scene);
      await scene.users.ask(80);
      await scene.passes(2);
      await command(scene.haproxies[0], 'clear counters all');
      await scene.passes(2);
      await scene.users.ask(80);
    },
    holds: countsAlike,
  },
];

function countsAlike(outcome: Outcome) {
  return [
    ...asUsersSay(outcome),
    ...asServersSay(outcome),
    atLeast('failures at the origin ≥ 8', outcome.counted.origin.failures, 8),
    atLeast('failures at the destination ≥ 8', outcome.counted.destination.failures, 8),
  ];
}

function failedOf({ users }: Scene): number {
  return users.ledger.filter(({ end }) => end === 'failed').length;
}

/** Of the first balancer, as the controller last read them; none while it cannot be read. */
function weightsOf({ controller }: Scene): number[] {
  const reading = controller.seen().backends['edge']?.reading;
  return reading?.known === true ? reading.value.servers.map(({ weight }) => weight) : [];
}

async function write(harness: HaproxyHarness | undefined, weights: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, weight] of Object.entries(weights))
    await command(harness, `set server web/${name} weight ${weight}`);
}

/** HAProxy refuses it while a connection to the server is left, idle ones too. */
async function deleted(harness: HaproxyHarness | undefined, server: string): Promise<void> {
  const endsAt = performance.now() + 20_000;
  for (let said = ''; !said.includes('deleted'); said = await typed(harness, `del server ${server}`)) {
    if (performance.now() > endsAt) throw new Error(`${server} is not deleted: ${said}`);
    await sleep(50);
  }
}

async function command(harness: HaproxyHarness | undefined, line: string): Promise<void> {
  const said = await typed(harness, line);
  if (said.trim() !== '') throw new Error(`${line}: ${said}`);
}

/** As somebody types it who does not know of Drover. */
async function typed(harness: HaproxyHarness | undefined, line: string): Promise<string> {
  const socket = connect(harness?.haproxy.socket ?? '').setEncoding('utf8');
  socket.write(`${line}\n`);
  return (await socket.toArray()).join('');
}

function sectionsOf(configFile: string): string[] {
  const lines = readFileSync(configFile, 'utf8').trimEnd().split('\n');
  return lines.slice(lines.indexOf('frontend web'));
}
