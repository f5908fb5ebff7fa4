import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked, Bench, Say } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { describeSpread, spreadOf } from './frame/spread.ts';
import { percent, table } from './frame/table.ts';
import { type Balancer, balancers, nowMs, openSite, type Site } from './traffic/site.ts';
import { dnsWayBack } from './way-back/dns.ts';

const rps = 300;
const lastRequestMsMax = 10;

/** How long the way back takes: typed, acknowledged by the balancer, the last new request, drained; and a group that is killed. */
export const bench: Bench = {
  about:
    'the way back under keep-alive load: typed → acknowledged → last new request at the destination → drained; a whole group killed; weighted DNS beside it',
  options: {
    runs: { about: 'times that the traffic is taken back at the balancer itself', otherwise: 20 },
    typed: { about: 'times that `drover back` is typed beside a running rollout', otherwise: 5 },
    ttl: { about: 'time to live of the DNS records, in seconds', otherwise: 20 },
    'dns-times': { about: 'times that the weighted DNS is taken back, all at once', otherwise: 8 },
    seed: { about: 'seed of the weighted DNS answers', otherwise: 1 },
  },
  cases: [...balancers, 'dns'],
  run: async (asked, say) => {
    const goals: Goal[] = [];
    const rows: string[][] = [];
    for (const kind of balancers.filter((one) => asked.cases.includes(one))) {
      const { row, goal } = await measure(kind, asked, say);
      rows.push(row);
      goals.push(...goal);
    }
    if (rows.length > 0) say(table(header, rows));
    if (asked.cases.includes('dns')) await besideDns(asked, say);
    return goals;
  },
};

const header = [
  'balancer',
  'typed → acknowledged, ms',
  'typed → last new request, ms',
  'acknowledged → last new request, ms',
  'acknowledged → drained, ms',
  'failed of a killed group',
];

async function measure(kind: Balancer, asked: Asked, say: Say): Promise<{ row: string[]; goal: Goal[] }> {
  const site = await openSite(kind);
  try {
    await site.start(rps);
    const typed = await typedTimes(site, asked.number('typed'));
    const { last, drained } = await takenTimes(site, asked.number('runs'));
    const killed = await killedGroup(site);
    const worst = spreadOf(last).largest;
    say(`${kind}: ${rps} requests/s over 64 kept connections, two servers on each side, each answers after 20 ms`);
    const row = [
      kind,
      typed.acknowledged.length === 0 ? 'not seen from outside' : describeSpread(spreadOf(typed.acknowledged), 0),
      describeSpread(spreadOf(typed.last), 0),
      describeSpread(spreadOf(last)),
      describeSpread(spreadOf(drained)),
      `${killed.failed} of ${killed.requests}`,
    ];
    const goal = [
      {
        promised: `${kind}: acknowledged → last new request ≤ ${lastRequestMsMax} ms, worst of ${last.length}`,
        found: `${worst.toFixed(1)} ms`,
        met: worst <= lastRequestMsMax,
      },
      {
        promised: `${kind}: no failed request where a whole group is killed`,
        found: `${killed.failed} of ${killed.requests}`,
        met: killed.failed === 0,
      },
    ];
    return { row, goal };
  } finally {
    await site.close();
  }
}

/** By the whole product: a rollout stands at half of the traffic, and somebody types `drover back`. */
async function typedTimes(site: Site, times: number) {
  const acknowledged: number[] = [];
  const last: number[] = [];
  for (let time = 0; time < times; time++) {
    const apply = await site.apply();
    await apply.until(/step 1: judging/);
    await sleep(1500);
    site.tee?.takeAckMs();
    const typedMs = nowMs();
    const back = await site.drover('back', '--reason', 'bench').ended;
    if (back.code !== 2) throw new Error(`drover back ended with ${back.code}: ${back.text}`);
    await apply.ended;
    last.push((await lastOf(site)).arrivalMs - typedMs);
    const ackMs = site.tee?.takeAckMs();
    if (typeof ackMs === 'number') acknowledged.push(ackMs - typedMs);
  }
  return { acknowledged, last };
}

/** By the command that the way back is made of, many times: what is between it and the last request. */
async function takenTimes(site: Site, times: number) {
  const last: number[] = [];
  const drained: number[] = [];
  const destination = ['vpc-1', 'vpc-2'];
  for (let time = 0; time < times; time++) {
    await carry(site);
    const before = (await lastOf(site)).seen;
    await sleep(500);
    if ((await lastOf(site)).seen - before < 20) throw new Error('the destination gets no traffic');
    await site.backend.setStates(Object.fromEntries(destination.map((name) => [name, 'maint' as const])), callMs());
    const ackMs = nowMs();
    await sleep(300);
    const { arrivalMs, endMs } = await lastOf(site);
    last.push(Math.max(0, arrivalMs - ackMs));
    drained.push(Math.max(0, endMs - ackMs));
  }
  return { last, drained };
}

/** Half of the traffic at the destination, as a rollout would have it. */
async function carry(site: Site): Promise<void> {
  await site.backend.setStates({ 'vpc-1': 'ready', 'vpc-2': 'ready' }, callMs());
  await site.backend.setWeights({ 'vpc-1': 20, 'vpc-2': 20 }, callMs());
  await site.untilUp('vpc');
}

async function killedGroup(site: Site): Promise<{ readonly failed: number; readonly requests: number }> {
  await carry(site);
  await sleep(500);
  const before = await site.users();
  for (const { pid } of await site.destination()) process.kill(pid, 'SIGKILL');
  await sleep(3000);
  const after = await site.users();
  const failed = after.failed - before.failed;
  return { failed, requests: failed + after.answered - before.answered };
}

async function lastOf(site: Site): Promise<{ arrivalMs: number; endMs: number; seen: number }> {
  const seen = await site.destination();
  return {
    arrivalMs: Math.max(...seen.map((one) => one.lastArrivalMs)),
    endMs: Math.max(...seen.map((one) => one.lastEndMs)),
    seen: seen.reduce((sum, one) => sum + one.seen, 0),
  };
}

function callMs(): AbortSignal {
  return AbortSignal.timeout(5000);
}

async function besideDns(asked: Asked, say: Say): Promise<void> {
  const ttl = asked.number('ttl');
  const times = asked.number('dns-times');
  const seed = asked.number('seed');
  // Each with a resolver of its own; the weights are changed at another part of the time to live.
  const tried = await Promise.allSettled(
    Array.from({ length: times }, (_, index) => dnsWayBack(ttl, seed + index, (index + 0.5) / times)),
  );
  // Each stops its resolver; one that fails must not end the process before the others have.
  const found = tried.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const last = describeSpread(spreadOf(found.map(({ lastMs }) => lastMs / 1000)));
  const shares = found.map(({ share }) => percent(share, 0)).join(', ');
  say(
    [
      '',
      `weighted DNS (TTL ${ttl} s, Unbound as the caching resolver, 100 clients that keep to the TTL):`,
      `  weights changed → last request to the destination ${last} s`,
      `  at weights of one half the destination got ${shares} of the requests: a resolver hands one answer to all of its clients`,
      '  published, of those that do not keep to it: at a TTL of 20 s 90 % of requests had switched after 60 s, and 2 % had not after 15 min',
      '  (Flavel, Mani, Maltz, "Re-evaluating the responsiveness of DNS-based network control", LANMAN 2014)',
    ].join('\n'),
  );
}
