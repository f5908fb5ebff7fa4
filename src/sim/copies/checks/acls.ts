import { aclKey, isAbout, type TopicAcl } from '../../../core/move/acl-facts.ts';
import { aclsOf, type MoveState } from '../../../core/move/operation/state.ts';
import type { CopyWrite } from '../controller.ts';
import type { SimTarget } from '../target.ts';
import type { CopyChain } from './chain.ts';
import type { Report } from './violation.ts';

/** What a copy does to rights on the target: looked at when it takes effect, and when it says that it has done it. */
export class AclChecks {
  readonly #chain: CopyChain;
  readonly #target: SimTarget;
  readonly #knownMs: number;
  readonly #report: Report;
  /** Entries that somebody made when nobody could tell them from ours. */
  readonly #raced = new Set<string>();

  constructor(chain: CopyChain, target: SimTarget, knownMs: number, report: Report) {
    [this.#chain, this.#target, this.#knownMs, this.#report] = [chain, target, knownMs, report];
  }

  making(write: CopyWrite, acls: readonly TopicAcl[], state: MoveState): void {
    const intended = new Set(aclsOf(state).map(aclKey));
    for (const acl of acls) {
      if (state.stage.kind !== 'preparing' || !intended.has(aclKey(acl))) this.#unintended(write, acl, state);
      const madeAtMs = this.#target.acls.rightful.get(aclKey(acl));
      if (madeAtMs !== undefined && (write.stoodStill || madeAtMs >= write.issuedAtMs - this.#knownMs))
        this.#raced.add(aclKey(acl));
    }
  }

  deleting(write: CopyWrite, acls: readonly TopicAcl[], state: MoveState): void {
    const intended = new Set(aclsOf(state).map(aclKey));
    const { stage } = state;
    const isEnd = stage.kind === 'removing' || (stage.kind === 'restoring' && stage.becoming === 'aborted');
    for (const acl of acls) {
      if (!isEnd || !intended.has(aclKey(acl))) this.#unintended(write, acl, state);
      if (stage.kind === 'removing') this.#leaving(write, acl, state);
      this.#takingAway(acl);
    }
  }

  #takingAway(acl: TopicAcl): void {
    const key = aclKey(acl);
    const madeAtMs = this.#target.acls.rightful.get(key);
    if (madeAtMs === undefined || this.#raced.has(key)) return;
    // Whoever makes the very entry after that cannot be told from us.
    if (madeAtMs >= this.#intendedAtMs() - this.#knownMs) this.#raced.add(key);
    else this.#report('ACLs are as they were', `${key} is taken away, and somebody had made it`);
  }

  /** Rights stay with topics that stay. */
  #leaving(write: CopyWrite, acl: TopicAcl, state: MoveState): void {
    const knewUntil = write.issuedAtMs - this.#knownMs;
    for (const { name } of state.plan.topics) {
      const topic = this.#target.topics.get(name);
      if (topic !== undefined && topic.madeAtMs < knewUntil && !state.removed.includes(name) && isAbout(acl, name))
        this.#report('rights go with their topics', `${aclKey(acl)} is taken away, and ${name} stays`);
    }
  }

  /** Data may move: whoever may read it on the source may read it here, and nobody else. */
  copying({ plan }: MoveState): void {
    const { standing, takenAtMs } = this.#target.acls;
    for (const acl of plan.acls ?? []) {
      const key = aclKey(acl);
      if (!standing.has(key) && !takenAtMs.has(key)) this.#report('ACLs are as shown', `${key} is not there`);
    }
  }

  /** Once the copy has ended, and all that was on its way has arrived. */
  atEnd(state: MoveState): void {
    const { standing, rightful, takenAtMs } = this.#target.acls;
    const ours = new Set(state.stage.kind === 'aborted' ? [] : aclsOf(state).map(aclKey));
    for (const key of new Set([...standing.keys(), ...rightful.keys(), ...ours])) {
      const acl = standing.get(key);
      if (this.#raced.has(key) || (acl !== undefined && rightful.has(key))) continue;
      if (acl === undefined) {
        if (rightful.has(key)) this.#report('ACLs are as they were', `${key} is gone, and somebody had made it`);
        else if (!takenAtMs.has(key)) this.#report('ACLs are as shown', `${key} is not there at the end`);
      } else if (!ours.has(key)) {
        this.#report('ACLs are as they were', `${key} is there, and would not be without a copy`);
      } else if (state.stage.kind === 'removed' && !state.plan.topics.some(({ name }) => this.#stays(acl, name))) {
        this.#report('rights go with their topics', `${key} is there, and no topic that it is about`);
      }
    }
  }

  /** Or did when that was looked at. */
  #stays(acl: TopicAcl, name: string): boolean {
    const lookedAtMs = (this.#chain.durableAtMs.at(-1) ?? 0) - this.#knownMs;
    const topics = [...this.#target.byId.values()].filter((topic) => topic.name === name);
    return isAbout(acl, name) && topics.some(({ deletedAtMs }) => deletedAtMs === null || deletedAtMs > lookedAtMs);
  }

  #intendedAtMs(): number {
    const index = this.#chain.entries.findIndex(({ body }) => body.kind === 'acls-intended');
    return this.#chain.durableAtMs[index] ?? 0;
  }

  #unintended(write: CopyWrite, acl: TopicAcl, { stage }: MoveState): void {
    const what = `${write.by}: ${write.effect.kind} ${aclKey(acl)} after entry ${write.issuedSeq}: in ${stage.kind}`;
    this.#report('no effect without its intent', what);
  }
}
