import { matchesGlob } from '../fleet/glob.ts';
import { type Count, type Counting, countBackend, type HostCount, type Window } from '../judge/counting.ts';
import { addDispersion, type Dispersion, startDispersion } from '../judge/dispersion.ts';
import { type BackendReading, zeroCounters } from './backend.ts';

/** What has been observed of one backend of one balancer process, without any operation: counts and how they scatter. */
export type Tally = {
  readonly atMs: number;
  readonly reading: BackendReading;
  readonly counting: Counting;
  /** Since the balancer's process started (or its counters were cleared). */
  readonly sinceStart: readonly HostCount[];
  /** Since observing began, or since counting began anew. */
  readonly observed: readonly HostCount[];
  readonly observedFromMs: number;
  /** Windows of the last `recentMs`, oldest first. */
  readonly recent: readonly HostWindow[];
  readonly dispersion: Dispersion;
  /** Why counting began anew with this reading; null: it did not. */
  readonly restarted: string | null;
};

export type HostWindow = { readonly fromMs: number; readonly toMs: number; readonly hosts: readonly HostCount[] };

const recentMs = 10_000;

/** Which servers are whose: `*` and `?` globs; null: there are no groups, all servers are alike. */
export type Groups = { readonly origin: string; readonly destination: string };

export function groupOf(groups: Groups | null, server: string): 'origin' | 'destination' | null {
  if (groups === null) return 'origin';
  if (matchesGlob(groups.destination, server)) return 'destination';
  return matchesGlob(groups.origin, server) ? 'origin' : null;
}

/** Adds a reading. Attempts and failures are counted as the judge counts them, for each server by itself. */
export function tallyReading(
  before: Tally | null,
  reading: BackendReading,
  atMs: number,
  groups: Groups | null,
): Tally {
  // Every server counts as the origin's, because only those are told one by one.
  const { counting, window, restarted } = countBackend(before?.counting ?? null, reading, atMs, () => 'origin');
  const kept = before === null || restarted !== null ? null : before;
  const hosts = window?.originHosts ?? [];
  const recent = (kept?.recent ?? []).filter((past) => past.fromMs >= atMs - recentMs);
  return {
    atMs,
    reading,
    counting,
    sinceStart: countsSinceStart(reading),
    observed: plus(kept?.observed ?? [], hosts),
    observedFromMs: kept?.observedFromMs ?? atMs,
    recent: window === null ? recent : [...recent, { fromMs: window.fromMs, toMs: window.toMs, hosts }],
    dispersion: dispersionWith(before?.dispersion ?? startDispersion(), window, groups),
    restarted,
  };
}

/** Counters begin at zero with the process, so that a reading is a window since then. */
function countsSinceStart(reading: BackendReading): readonly HostCount[] {
  const servers = reading.servers.map((server) => {
    return { ...server, counters: { ...zeroCounters, scur: server.counters.scur } };
  });
  const { counting } = countBackend(null, { ...reading, servers }, 0, () => 'origin');
  return countBackend(counting, reading, 1, () => 'origin').window?.originHosts ?? [];
}

function plus(before: readonly HostCount[], more: readonly HostCount[]): HostCount[] {
  const sums = new Map(before.map((host) => [host.server, host]));
  for (const { server, attempts, failures } of more) {
    const sum = sums.get(server);
    sums.set(server, { server, attempts: attempts + (sum?.attempts ?? 0), failures: failures + (sum?.failures ?? 0) });
  }
  return [...sums.values()];
}

/** How failures scatter is measured within the origin, where there is no difference to find. */
function dispersionWith(dispersion: Dispersion, window: Window | null, groups: Groups | null): Dispersion {
  if (window === null) return dispersion;
  const originHosts = window.originHosts.filter((host) => groupOf(groups, host.server) === 'origin');
  return addDispersion(dispersion, 'observed', { ...window, originHosts });
}

export type Figures = {
  readonly sinceStart: Count;
  readonly observed: Count;
  /** The last ten seconds, and the last window of them; null: no window yet. */
  readonly recent: CountOverTime | null;
  readonly last: CountOverTime | null;
};
export type CountOverTime = Count & { readonly ms: number };

/** Sums over the servers that belong. */
export function figuresOf(tally: Tally, belongs: (server: string) => boolean): Figures {
  return {
    sinceStart: sumOf(tally.sinceStart, belongs),
    observed: sumOf(tally.observed, belongs),
    recent: sumOfWindows(tally.recent, belongs),
    last: sumOfWindows(tally.recent.slice(-1), belongs),
  };
}

function sumOfWindows(windows: readonly HostWindow[], belongs: (server: string) => boolean): CountOverTime | null {
  const [first, last] = [windows.at(0), windows.at(-1)];
  if (first === undefined || last === undefined) return null;
  const hosts = windows.flatMap((window) => window.hosts);
  return { ...sumOf(hosts, belongs), ms: last.toMs - first.fromMs };
}

function sumOf(hosts: readonly HostCount[], belongs: (server: string) => boolean): Count {
  let [attempts, failures] = [0, 0];
  for (const host of hosts) {
    if (!belongs(host.server)) continue;
    attempts += host.attempts;
    failures += host.failures;
  }
  return { attempts, failures };
}
