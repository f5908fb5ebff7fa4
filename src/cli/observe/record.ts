import { controllability } from '../../core/fleet/controllability.ts';
import type { Count } from '../../core/judge/counting.ts';
import { sights } from '../../core/judge/forecast.ts';
import type { BackendTraits } from '../../core/observed/backend.ts';
import type { Outlook } from '../../core/observed/outlook.ts';
import type { Reading } from '../../core/observed/reading.ts';
import { type Figures, figuresOf, groupOf } from '../../core/observed/tally.ts';
import type { Seen } from './view.ts';

export type RecordKind = 'since-start' | 'window';

/** One line of `drover observe --json`; its fields are documented in docs/reference/observe.md. null: unknown. */
export function recordOf(seen: Seen, kind: RecordKind): Record<string, unknown> {
  const { tally, groups, title, outlook } = seen;
  const counts = (belongs: (server: string) => boolean) => countsFor(figuresOf(tally, belongs), kind);
  const whole = counts((server) => groupOf(groups, server) !== null);
  const origin = counts((server) => groupOf(groups, server) === 'origin');
  const destination = counts((server) => groupOf(groups, server) === 'destination');
  const failures = tally.reading.traits.mode.known && tally.reading.traits.mode.value === 'http';
  const show = (count: Count | null) => shown(count, failures);
  return {
    at: new Date(tally.atMs).toISOString(),
    kind,
    backend: title,
    process: tally.reading.process,
    seconds: kind === 'window' ? (figuresOf(tally, () => true).last?.ms ?? 0) / 1000 : null,
    ...show(whole),
    share: groups === null ? null : quotient(destination?.attempts, whole?.attempts),
    groups: groups === null ? null : { origin: show(origin), destination: show(destination) },
    servers: tally.reading.servers.map((server) => {
      const count = counts((name) => name === server.name);
      const { name, address, admin, health, weight, configuredWeight, features } = server;
      const group = groups === null ? null : groupOf(groups, name);
      return { name, group, address, admin, health, weight, configuredWeight, features, ...show(count) };
    }),
    dispersion: outlook.known && outlook.value.dispersion.known ? outlook.value.dispersion.value : null,
    forecast: forecastOf(outlook),
    restarted: tally.restarted,
    ...(kind === 'since-start' ? setting(seen) : {}),
  };
}

/** What was read once and changes rarely. */
function setting({ tally, groups }: Seen): Record<string, unknown> {
  const { traits, servers } = tally.reading;
  const members = servers.filter((server) => groupOf(groups, server.name) !== null);
  return { traits: traitValues(traits), findings: controllability(traits, members) };
}

function traitValues(traits: BackendTraits): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(traits).map(([name, trait]) => [
      name,
      trait.known ? { value: trait.value } : { unknown: trait.why },
    ]),
  );
}

function countsFor({ sinceStart, last }: Figures, kind: RecordKind): Count | null {
  return kind === 'since-start' ? sinceStart : last;
}

function shown(count: Count | null, failuresAreCounted: boolean): Record<string, number | null> {
  const failures = failuresAreCounted ? (count?.failures ?? null) : null;
  return { attempts: count?.attempts ?? null, failures };
}

function quotient(part: number | undefined, whole: number | undefined): number | null {
  return part === undefined || whole === undefined || whole === 0 ? null : part / whole;
}

function forecastOf(outlook: Reading<Outlook>): Record<string, unknown> | null {
  if (!outlook.known) return null;
  const { traffic, rules, assumedShare } = outlook.value;
  return {
    attemptsPerSecond: traffic.rps,
    share: traffic.share,
    assumedShare,
    baseline: traffic.baseline,
    dispersion: rules.dispersion,
    seconds: Object.fromEntries(sights(traffic, rules).map(({ ratio, seconds }) => [`${ratio}x`, seconds])),
  };
}
