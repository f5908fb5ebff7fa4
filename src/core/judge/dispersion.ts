import { known, type Reading, unknown } from '../observed/reading.ts';
import type { HostCount, Window } from './counting.ts';

/**
 * How much more the failures scatter than independent ones would: measured where there is no difference to find, between two
 * halves of the origin's servers. Sums over closed blocks for each block length. Plain JSON.
 */
export type Dispersion = {
  readonly sums: readonly number[];
  readonly blocks: readonly number[];
  /** Origin servers in the last window. */
  readonly hosts: number;
  /** By backend (balancers are never pooled): the open block of each length. */
  readonly open: Readonly<Record<string, readonly OpenBlock[]>>;
};

/** Attempts and failures of the pseudo-destination, and of all origin servers. */
type OpenBlock = readonly [attemptsHalf: number, attempts: number, failuresHalf: number, failures: number];

const blockSeconds: readonly number[] = [1, 10, 60, 300];
const blocksMin = 30;
const empty: OpenBlock = [0, 0, 0, 0];

export function startDispersion(): Dispersion {
  const zeros = blockSeconds.map(() => 0);
  return { sums: zeros, blocks: zeros, hosts: 0, open: {} };
}

/**
 * φ = max(1, the largest over block lengths of the mean of (x′ − k·p′)² / (k·p′(1−p′))): k failures in a block, x′ of them
 * at the pseudo-destination, which got the share p′ of the attempts. 1 where every failure falls like a coin. Block lengths
 * with fewer than 30 blocks that had failures say nothing; where none says anything, φ is unknown.
 */
export function dispersionOf(dispersion: Dispersion): Reading<number> {
  let largest: number | null = null;
  for (const [index, sum] of dispersion.sums.entries()) {
    const blocks = dispersion.blocks[index] ?? 0;
    if (blocks >= blocksMin) largest = Math.max(largest ?? 1, sum / blocks);
  }
  if (largest !== null) return known(largest);
  if (dispersion.hosts < 2) return unknown(`${dispersion.hosts} origin servers: two are needed to compare them`);
  return unknown(`${Math.max(...dispersion.blocks)} of ${blocksMin} blocks with failures at the origin so far`);
}

/** Every other origin server, in the balancer's order, plays the destination. A block ends with the window that reaches the next multiple of its length. */
export function addDispersion(dispersion: Dispersion, backend: string, window: Window): Dispersion {
  const hosts = window.originHosts.length;
  // One server has no other half.
  if (hosts < 2) return hosts === dispersion.hosts ? dispersion : { ...dispersion, hosts };
  const counts = halve(window.originHosts);
  const open = Object.hasOwn(dispersion.open, backend) ? dispersion.open[backend] : undefined;
  const next: OpenBlock[] = [];
  let { sums, blocks } = dispersion;
  for (let index = 0; index < blockSeconds.length; index++) {
    const block = plus(open?.[index] ?? empty, counts);
    const ends = reachesNext(window, blockSeconds[index] ?? 1);
    next.push(ends ? empty : block);
    const excess = ends ? normalizedSquare(block) : null;
    if (excess === null) continue;
    sums = sums.with(index, (sums[index] ?? 0) + excess);
    blocks = blocks.with(index, (blocks[index] ?? 0) + 1);
  }
  return { sums, blocks, hosts, open: { ...dispersion.open, [backend]: next } };
}

function halve(hosts: readonly HostCount[]): OpenBlock {
  let [attemptsHalf, attempts, failuresHalf, failures] = [0, 0, 0, 0];
  for (let index = 0; index < hosts.length; index++) {
    const host = hosts[index];
    if (host === undefined) continue;
    attempts += host.attempts;
    failures += host.failures;
    if (index % 2 === 0) continue;
    attemptsHalf += host.attempts;
    failuresHalf += host.failures;
  }
  return [attemptsHalf, attempts, failuresHalf, failures];
}

function plus(a: OpenBlock, b: OpenBlock): OpenBlock {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];
}

function reachesNext(window: Window, seconds: number): boolean {
  const ms = seconds * 1000;
  return Math.floor(window.toMs / ms) > Math.floor(window.fromMs / ms);
}

/** null: no failures, or no traffic at one of the halves: nothing can be told. */
function normalizedSquare([attemptsHalf, attempts, failuresHalf, failures]: OpenBlock): number | null {
  if (failures === 0 || attemptsHalf === 0 || attemptsHalf === attempts) return null;
  const p = attemptsHalf / attempts;
  const expected = failures * p;
  return (failuresHalf - expected) ** 2 / (expected * (1 - p));
}
