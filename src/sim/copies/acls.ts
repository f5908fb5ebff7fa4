import { aclKey, type TopicAcl } from '../../core/move/acl-facts.ts';

/** Who may do what on the target: entries have no ids and no makers. Brokers tell what was so a moment ago. */
export class SimAcls {
  readonly #now: () => number;
  readonly standing = new Map<string, TopicAcl>();
  /** Those that would stand, had nothing been copied: since when. */
  readonly rightful = new Map<string, number>();
  /** When somebody took them away last. */
  readonly takenAtMs = new Map<string, number>();
  readonly #views: { readonly atMs: number; readonly view: readonly TopicAcl[] }[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#remember();
  }

  make(acls: readonly TopicAcl[]): void {
    for (const acl of acls) this.standing.set(aclKey(acl), acl);
    this.#remember();
  }

  delete(acls: readonly TopicAcl[]): void {
    for (const acl of acls) this.standing.delete(aclKey(acl));
    this.#remember();
  }

  /** What stands already is none the worse, and nobody can tell. */
  makeByHand(acl: TopicAcl): boolean {
    const key = aclKey(acl);
    if (this.standing.has(key)) return false;
    this.rightful.set(key, this.#now());
    this.make([acl]);
    return true;
  }

  takeByHand(acl: TopicAcl): void {
    this.rightful.delete(aclKey(acl));
    this.takenAtMs.set(aclKey(acl), this.#now());
    this.delete([acl]);
  }

  /** As a broker tells it that is so far behind. */
  found(behindMs: number): readonly TopicAcl[] {
    const atMs = Math.max(0, this.#now() - behindMs);
    return this.#views.findLast((one) => one.atMs <= atMs)?.view ?? [];
  }

  /** Nobody is so far behind. */
  #remember(): void {
    this.#views.push({ atMs: this.#now(), view: [...this.standing.values()] });
    if (this.#views.length > 2000) this.#views.splice(0, 1000);
  }
}
