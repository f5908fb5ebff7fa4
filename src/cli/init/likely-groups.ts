import { commonName } from '../../config/glob-overlap.ts';
import { matchesGlob } from '../../core/fleet/glob.ts';
import type { ServerReading } from '../../core/observed/backend.ts';

/** A guess at which servers are whose; a pattern is null where names do not tell. */
export type LikelyGroups = {
  readonly origin: LikelyGroup | null;
  readonly destination: LikelyGroup | null;
  /** Why the destination is taken for it; null without one. */
  readonly because: string | null;
};
export type LikelyGroup = { readonly pattern: string; readonly environment: string; readonly servers: number };

type Family = { readonly stem: string; readonly members: readonly ServerReading[] };

/**
 * Servers are often called after the place they run in and a number (`classic-1`, `vpc-2`), and those that wait have
 * weight 0 or are in maintenance. `attempts` decides where nothing else does: more traffic, more likely the origin.
 */
export function likelyGroups(servers: readonly ServerReading[]): LikelyGroups {
  const families = familiesOf(servers);
  const waiting = families.filter((family) => family.members.every(waits));
  const carrying = families.filter((family) => !waiting.includes(family));
  const [only, ...more] = waiting;
  if (only !== undefined && more.length === 0) {
    return chosen(
      families,
      carrying.length === 1 ? carrying[0] : undefined,
      only,
      'all of its servers wait (weight 0 or maint)',
    );
  }
  const [first, second, ...others] = families.toSorted((a, b) => attemptsOf(b) - attemptsOf(a));
  if (first !== undefined && second !== undefined && others.length === 0) {
    return chosen(families, first, second, 'it has had less traffic: look again');
  }
  return chosen(families, families.length === 1 ? first : undefined, undefined, null);
}

function familiesOf(servers: readonly ServerReading[]): Family[] {
  return [...Map.groupBy(servers, (server) => server.name.replace(/\d+$/, ''))].map(([stem, members]) => ({
    stem,
    members,
  }));
}

function waits({ weight, configuredWeight, admin }: ServerReading): boolean {
  return (weight === 0 && configuredWeight === 0) || admin === 'maint';
}

function attemptsOf({ members }: Family): number {
  return members.reduce((sum, server) => sum + server.counters.attempts, 0);
}

function chosen(
  families: readonly Family[],
  origin: Family | undefined,
  destination: Family | undefined,
  because: string | null,
): LikelyGroups {
  const origins = origin === undefined ? [] : groupsOf(origin, families);
  const destinations = destination === undefined ? [] : groupsOf(destination, families);
  for (const one of origins) {
    const apart = destinations.find((other) => commonName(one.pattern, other.pattern) === null);
    if (apart !== undefined) return { origin: one, destination: apart, because };
  }
  // Only one of the two can be told, and the destination is the one that has to be right.
  const [only = null] = destinations;
  return {
    origin: only === null ? (origins[0] ?? null) : null,
    destination: only,
    because: only === null ? null : because,
  };
}

/** Patterns that fit this family's servers and no others, the simplest first. */
function groupsOf({ stem, members }: Family, families: readonly Family[]): LikelyGroup[] {
  // Names that are numbers and nothing else: `*` would fit every server that is ever added, the destination's too.
  if (stem === '') return [];
  const names = members.map((server) => server.name);
  const others = families.filter((other) => other.stem !== stem).flatMap((other) => other.members);
  const [first = ''] = names;
  const oneLength = names.every((name) => name.length === first.length);
  const candidates = [
    ...(first === stem ? [stem] : [`${stem}*`]),
    ...(first !== stem && oneLength ? [stem + '?'.repeat(first.length - stem.length)] : []),
  ];
  return (
    candidates
      .filter((pattern) => /^[A-Za-z0-9_.:*?-]{1,64}$/.test(pattern))
      // Servers that are only numbered are told by no name: such a pattern would fit every other one.
      .filter((pattern) => /[^*?]/.test(pattern))
      .filter((pattern) => names.every((name) => matchesGlob(pattern, name)))
      .filter((pattern) => !others.some((server) => matchesGlob(pattern, server.name)))
      .map((pattern) => ({ pattern, environment: environmentOf(stem), servers: names.length }))
  );
}

function environmentOf(stem: string): string {
  return stem
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 63);
}
