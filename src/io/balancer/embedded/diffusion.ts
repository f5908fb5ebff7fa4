/**
 * Which server gets the next request, by error diffusion: every request credits each group with its fraction of the total
 * weight, the group with the largest credit gets the request and pays one; within the group its servers do the same. The
 * credit is what a server is owed (expected minus served), so the shares need no randomness and have no memory to lose.
 *
 * Servers are grouped by name without trailing digits (`vpc-1`, `vpc-2`: one group), because servers of the same weight in
 * one flat list come due together: ten of them at 1 % would get ten requests in a row. Between two groups the credit stays
 * within ±1/2, so that over any window the share of a group is exact within one request. Who cannot be used (weight 0)
 * keeps its credit: coming and going neither gains nor loses a request.
 */
export class Diffusion {
  readonly #groups: readonly Group[];
  readonly #memberOf: readonly { readonly group: Group; readonly member: Member }[];

  constructor(names: readonly string[]) {
    const groups = new Map<string, Group>();
    this.#memberOf = names.map((name, index) => {
      const stem = groupOf(name);
      const group = groups.get(stem) ?? { credit: 0, weight: 0, members: [] };
      groups.set(stem, group);
      const member: Member = { index, credit: 0, weight: 0 };
      group.members.push(member);
      return { group, member };
    });
    this.#groups = [...groups.values()];
  }

  /** `weight` ≥ 0; 0 while the server cannot be used. In force for the next request. */
  setWeight(index: number, weight: number): void {
    const place = this.#memberOf[index];
    if (place === undefined) throw new RangeError(`no server ${index}`);
    place.member.weight = weight;
    place.group.weight = place.group.members.reduce((sum, member) => sum + member.weight, 0);
  }

  /** The index of the server that gets the next attempt, or null if none can. `tried`: servers that this request has had. */
  next(tried: readonly number[]): number | null {
    let total = 0;
    for (const group of this.#groups) total += untriedWeight(group, tried);
    if (total === 0) return null;
    let best: Group | null = null;
    let bestWeight = 0;
    for (const group of this.#groups) {
      const weight = untriedWeight(group, tried);
      if (weight === 0) continue;
      group.credit += weight / total;
      if (best === null || group.credit > best.credit) {
        best = group;
        bestWeight = weight;
      }
    }
    if (best === null) return null;
    best.credit -= 1;
    return nextMember(best.members, bestWeight, tried);
  }
}

type Group = { credit: number; weight: number; readonly members: Member[] };
type Member = { readonly index: number; credit: number; weight: number };

function groupOf(name: string): string {
  return name.replace(/\d+$/u, '');
}

function untriedWeight(group: Group, tried: readonly number[]): number {
  if (tried.length === 0) return group.weight;
  let weight = 0;
  for (const member of group.members) if (!tried.includes(member.index)) weight += member.weight;
  return weight;
}

function nextMember(members: readonly Member[], total: number, tried: readonly number[]): number | null {
  let best: Member | null = null;
  for (const member of members) {
    if (member.weight === 0 || tried.includes(member.index)) continue;
    member.credit += member.weight / total;
    if (best === null || member.credit > best.credit) best = member;
  }
  if (best === null) return null;
  best.credit -= 1;
  return best.index;
}
