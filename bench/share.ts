import { setTimeout as sleep } from 'node:timers/promises';
import { shareOfWeights, weightsForShare } from '../src/core/rollout/weights.ts';
import type { Asked, Bench, Say } from './frame/bench.ts';
import type { Goal } from './frame/goals.ts';
import { percent, table } from './frame/table.ts';
import { type Balancer, balancers, openSite, type Site } from './traffic/site.ts';

const shares = [0.01, 0.05, 0.1, 0.5];
const perGroup = 4;
const rps = 1000;
const offMax = 0.005;

/** How near the observed share is to the one that was asked for, while servers of both groups come and go. */
export const bench: Bench = {
  about:
    'requested 1, 5, 10 and 50 % against what is observed, over 10,000 requests each, while both groups grow and shrink',
  options: { requests: { about: 'requests for each share', otherwise: 10_000 } },
  cases: balancers,
  run: async (asked, say) => {
    const goals: Goal[] = [];
    for (const kind of balancers.filter((one) => asked.cases.includes(one)))
      goals.push(...(await measure(kind, asked, say)));
    return goals;
  },
};

async function measure(kind: Balancer, asked: Asked, say: Say): Promise<Goal[]> {
  const site = await openSite(kind, perGroup);
  try {
    await site.start(rps);
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const share of shares) {
      const seen = await observed(site, share, asked.number('requests'));
      const off = Math.abs(seen.share - share);
      rows.push([percent(share, 0), percent(seen.share), percent(off), `${seen.requests}`, `${seen.changes}`]);
      goals.push({
        promised: `${kind}: ${percent(share, 0)} within ${percent(offMax, 1)}`,
        found: percent(seen.share),
        met: off <= offMax,
      });
    }
    say(`${kind}: ${perGroup} servers on each side, of which 1 to ${perGroup} carry; ${rps} requests/s`);
    say(table(['asked for', 'observed', 'off by', 'requests', 'changes of size'], rows));
    return goals;
  } finally {
    await site.close();
  }
}

/** The weights are the product's own for the servers that carry; these change after every twentieth of the requests. */
async function observed(site: Site, share: number, requests: number) {
  const before = await site.users();
  let now = before;
  let changes = 0;
  while (total(now) - total(before) < requests) {
    await carryWith(site, share, 1 + (changes % perGroup), 1 + ((changes * 3 + 1) % perGroup));
    changes++;
    const until = total(now) + requests / 20;
    while (total(now) < until) {
      await sleep(20);
      now = await site.users();
    }
  }
  const destination = now.destination - before.destination;
  return { share: destination / (total(now) - total(before)), requests: total(now) - total(before), changes };
}

async function carryWith(site: Site, share: number, olds: number, youngs: number): Promise<void> {
  const origin = Array.from({ length: perGroup }, (_, index) => ({
    name: `classic-${index + 1}`,
    base: 20,
    carries: index < olds,
  }));
  const destination = Array.from({ length: youngs }, (_, index) => `vpc-${index + 1}`);
  const weights = weightsForShare(origin, destination, share);
  const all: Record<string, number> = {};
  for (let index = 1; index <= perGroup; index++) {
    all[`classic-${index}`] = index <= olds ? (weights[`classic-${index}`] ?? 0) : 0;
    all[`vpc-${index}`] = weights[`vpc-${index}`] ?? 0;
  }
  const made = shareOfWeights(
    Object.entries(all).flatMap(([name, weight]) => (name.startsWith('classic') ? [weight] : [])),
    Object.entries(all).flatMap(([name, weight]) => (name.startsWith('vpc') ? [weight] : [])),
  );
  if (made === null) throw new Error('nobody carries');
  await site.backend.setWeights(all, AbortSignal.timeout(5000));
}

function total({ answered, failed }: { readonly answered: number; readonly failed: number }): number {
  return answered + failed;
}
