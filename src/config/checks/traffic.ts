import { matchesGlob } from '../../core/fleet/glob.ts';
import { commonName } from '../glob-overlap.ts';
import type { TrafficFields } from '../grammar.ts';
import type { Position } from '../problem.ts';
import { type Field, valueIn } from '../shape.ts';
import { type Checking, providerOf, servicesOf } from './checking.ts';

/** Every server belongs to one group of one service, and every instance of ours is a server of its group. */
export function checkTraffic(checking: Checking): void {
  const claims: Claim[] = [];
  for (const { name, fields } of servicesOf(checking.file)) {
    const traffic = valueIn(fields.traffic) ?? [];
    traffic.forEach(({ value }, index) => {
      const path = `services.${name}.traffic[${index}]`;
      for (const side of ['origin', 'destination'] as const) {
        const glob = valueIn(value[side]);
        const [balancer, backend] = [valueIn(value.balancer), valueIn(value.backend)];
        if (glob === undefined || balancer === undefined || backend === undefined) continue;
        claims.push({ service: name, side, path, glob, place: `${balancer}/${backend}`, at: value[side].at });
      }
    });
    for (const side of ['origin', 'destination'] as const) {
      const group = valueIn(fields[side]);
      if (group === undefined || providerOf(checking.file, valueIn(group.environment)) !== 'local') continue;
      checkServerNames(checking, `services.${name}.${side}`, side, group.server, valueIn(group.size)?.max, traffic);
    }
  }
  checkClaims(checking, claims);
}

type Claim = {
  readonly service: string;
  readonly side: 'origin' | 'destination';
  readonly path: string;
  readonly glob: string;
  readonly place: string;
  readonly at: Position;
};

function checkClaims(checking: Checking, claims: readonly Claim[]): void {
  for (const [place, group] of Map.groupBy(claims, (claim) => claim.place)) {
    const tooMany = group[claimsMax];
    if (tooMany !== undefined) {
      const message = `${tooMany.path}: too many groups share the backend ${place}`;
      checking.problem({ ...tooMany.at, message, expected: `at most ${claimsMax} patterns`, found: `${group.length}` });
    }
    group.slice(0, claimsMax).forEach((claim, index) => {
      checkClaim(checking, claim, group.slice(0, index));
    });
  }
}

function checkClaim(checking: Checking, claim: Claim, earlier: readonly Claim[]): void {
  for (const other of earlier) {
    const name = commonName(other.glob, claim.glob);
    if (name === null) continue;
    checking.problem({
      ...claim.at,
      message: `${claim.path}.${claim.side}: fits servers that belong to the ${other.side} of ${other.service} (line ${other.at.line})`,
      expected: 'patterns of which each server fits at most one',
      found: `"${other.glob}" and "${claim.glob}": a server named ${name} would fit both`,
    });
    return;
  }
}

/** Comparing is quadratic. No backend is shared by so many groups. */
const claimsMax = 40;

function checkServerNames(
  checking: Checking,
  path: string,
  side: 'origin' | 'destination',
  server: Field<string>,
  sizeMax: number | undefined,
  traffic: readonly { readonly value: TrafficFields }[],
): void {
  const pattern = valueIn(server);
  if (pattern === undefined) return;
  if (!pattern.includes('{index}')) {
    if (sizeMax !== undefined && sizeMax > 1) {
      const message = `${path}.server: ${sizeMax} instances would have the same name`;
      checking.problem({ ...server.at, message, expected: 'a name with {index}', found: `"${pattern}"` });
      return;
    }
  }
  for (const index of [1, sizeMax ?? 1]) {
    checkOneName(checking, path, side, pattern.replaceAll('{index}', `${index}`), server.at, traffic);
  }
}

function checkOneName(
  checking: Checking,
  path: string,
  side: 'origin' | 'destination',
  name: string,
  at: Position,
  traffic: readonly { readonly value: TrafficFields }[],
): void {
  const globs = traffic.map(({ value }) => valueIn(value[side]));
  if (globs.includes(undefined) || globs.some((glob) => glob !== undefined && matchesGlob(glob, name))) return;
  checking.problem({
    ...at,
    message: `${path}.server: no pattern of this service's traffic fits its instances`,
    expected: `a name that fits ${globs.map((glob) => `"${glob}"`).join(' or ')}`,
    found: `"${name}"`,
  });
}
