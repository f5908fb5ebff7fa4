import type { MoveEffect } from '../../../core/move/operation/decision.ts';
import type { MoveState } from '../../../core/move/operation/state.ts';
import type { SettingChange } from '../../../core/move/topic-facts.ts';
import type { CopyWrite } from '../controller.ts';
import type { SimTarget, SimTopic } from '../target.ts';
import { AclChecks } from './acls.ts';
import type { CopyChain } from './chain.ts';
import type { Report } from './violation.ts';

/** What a copy does to the target: looked at when it takes effect. */
export class WriteChecks {
  readonly #chain: CopyChain;
  readonly #target: SimTarget;
  /** So old may be what a controller knows when it makes a call: the call before it, and what a broker had not heard of then. */
  readonly #knownMs: number;
  readonly #report: Report;
  readonly acls: AclChecks;
  /** Settings that somebody changed at the very time at which we did: nobody can tell who was last. By topic id and key. */
  readonly #raced = new Set<string>();
  /** Holders that have given the lease back: whoever takes it next waits for nothing. */
  readonly #givenBack = new Set<string>();
  /** Topics that were asked for by a process that then stood still. */
  readonly #late = new Set<string>();

  constructor(chain: CopyChain, target: SimTarget, knownMs: number, report: Report) {
    [this.#chain, this.#target, this.#knownMs, this.#report] = [chain, target, knownMs, report];
    this.acls = new AclChecks(chain, target, knownMs, report);
  }

  givenBack(holder: string): void {
    this.#givenBack.add(holder);
  }

  landing(write: CopyWrite): void {
    const state = this.#chain.stateAt(write.issuedSeq);
    if (this.#givenBack.has(write.by))
      this.#report('given back once all is over', `${write.by} does it afterwards: ${JSON.stringify(write.effect)}`);
    if (!write.leased)
      this.#report('nothing without the lease', `${write.by} does it without: ${JSON.stringify(write.effect)}`);
    if (state === null) return this.#unintended(write, 'before the journal says anything');
    if (state.held !== null) this.#report('a hold holds', `${write.by}: ${JSON.stringify(write.effect)}`);
    this.#look(write, write.effect, state);
  }

  #look(write: CopyWrite, effect: MoveEffect, state: MoveState): void {
    const { stage, plan, targetIds } = state;
    switch (effect.kind) {
      case 'make-topic': {
        const isPlanned = plan.topics.some(({ name, make }) => name === effect.topic && make !== null);
        if (write.stoodStill) this.#late.add(effect.topic);
        if (stage.kind !== 'preparing' || !isPlanned || targetIds[effect.topic] !== undefined)
          this.#unintended(write, `in ${stage.kind}`);
        return this.#lookAtRemaking(effect, state);
      }
      case 'make-partitions': {
        const isPlanned = plan.topics.some(({ name, grow }) => name === effect.topic && grow === effect.partitions);
        const isGrowing = stage.kind === 'copying' && state.growing[effect.topic] === effect.partitions;
        if (!isGrowing && (stage.kind !== 'preparing' || !isPlanned)) this.#unintended(write, `in ${stage.kind}`);
        return this.#own(write, effect.topic, state);
      }
      case 'change-settings':
        for (const change of effect.changes) this.#lookAtChange(write, change, state);
        return;
      case 'make-acls':
        return this.acls.making(write, effect.acls, state);
      case 'delete-acls':
        return this.acls.deleting(write, effect.acls, state);
      case 'delete-topic':
        if (stage.kind === 'rebuilding') {
          if (stage.make === null || stage.topicId !== effect.topicId)
            this.#unintended(write, 'and nobody has asked for that');
        } else if (stage.kind !== 'removing') this.#unintended(write, `in ${stage.kind}`);
        return this.#lookAtRemoval(write, effect.topicId, stage.kind === 'removing');
      default:
        return effect satisfies never;
    }
  }

  #lookAtChange(write: CopyWrite, { topic, key, value }: SettingChange, state: MoveState): void {
    const isThat = (one: { readonly topic: string; readonly key: string }) => one.topic === topic && one.key === key;
    this.#own(write, topic, state);
    const there = this.#target.topics.get(topic);
    const lever = state.levers.find(isThat);
    const name = `${topic}: ${key}=${value}`;
    const changedAtMs = there?.changedAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    // What lay in a process that stood still comes whenever that wakes up: no broker can tell.
    if (there !== undefined && (write.stoodStill || changedAtMs >= this.#knewUntil(write)))
      this.#raced.add(`${there.id} ${key}`);
    if (state.stage.kind === 'preparing') {
      const isAgreed = state.plan.topics.some(({ changes }) =>
        changes.some((one) => isThat(one) && one.value === value),
      );
      if (isAgreed) there?.rightful.set(key, value);
      else if (lever?.whileCopying !== value || !state.areLeversIntended) this.#unintended(write, name);
    } else if (state.stage.kind !== 'restoring' || lever === undefined || lever.before !== value) {
      this.#unintended(write, `${name} in ${state.stage.kind}`);
    } else if (there !== undefined && !this.#isRaced(there, key)) {
      const rightful = there.rightful.get(key) ?? null;
      // Who set the very value that we had set cannot be told from us.
      if (rightful !== value && rightful !== lever.whileCopying)
        this.#report('levers are as they were', `${name} is restored, and it was ${rightful}`);
    }
  }

  /** One that is made anew has the settings that the one before had, but for what was set aside. */
  #lookAtRemaking({ topic, settings }: Extract<MoveEffect, { kind: 'make-topic' }>, state: MoveState): void {
    const before = this.#target.byId.get(state.cleared[topic] ?? '');
    if (before === undefined || before.deletedAtMs === null) return;
    for (const key of new Set([...before.rightful.keys(), ...Object.keys(settings)])) {
      const [now, rightful] = [settings[key] ?? null, before.rightful.get(key) ?? null];
      const isAsWe = state.levers.some(
        (lever) => lever.topic === topic && lever.key === key && lever.whileCopying === rightful,
      );
      // What somebody changes while it is deleted goes with it.
      const isLate = (before.changedAtMs.get(key) ?? 0) >= before.deletedAtMs - 2 * this.#knownMs;
      if (now !== rightful && !isAsWe && !isLate && !this.#isRaced(before, key))
        this.#report('levers are as they were', `${topic} is made anew with ${key}=${now}, and it was ${rightful}`);
    }
  }

  #lookAtRemoval(write: CopyWrite, topicId: string, hasToBeOurs: boolean): void {
    const topic = this.#target.byId.get(topicId);
    if (topic === undefined || topic.deletedAtMs !== null) return;
    const knewUntil = this.#knewUntil(write);
    if (hasToBeOurs && topic.madeBy !== 'copy')
      this.#report('only what is ours', `${topic.name} (${topicId}) was made by others`);
    for (const [group, atMs] of topic.groups)
      if (atMs < knewUntil)
        this.#report('nothing is removed that somebody needs', `${group} has committed on ${topic.name}`);
    for (const { foreignAtMs } of topic.partitions)
      if (foreignAtMs !== null && foreignAtMs < knewUntil)
        this.#report('nothing is removed that somebody needs', `${topic.name} holds what others have written`);
  }

  /** A topic that was made anew by others is not ours, once that can be known. */
  #own(write: CopyWrite, name: string, state: MoveState): void {
    const topic = this.#target.topics.get(name);
    const isOurs = topic === undefined || topic.id === state.targetIds[name];
    if (!isOurs && topic.madeAtMs < this.#knewUntil(write))
      this.#report('only what is ours', `${JSON.stringify(write.effect)}: ${name} is ${topic.id} by now`);
  }

  #knewUntil({ issuedAtMs }: CopyWrite): number {
    return issuedAtMs - this.#knownMs;
  }

  #isRaced(topic: SimTopic, key: string): boolean {
    return this.#raced.has(`${topic.id} ${key}`);
  }

  #unintended(write: CopyWrite, why: string): void {
    const what = `${write.by}: ${JSON.stringify(write.effect)} after entry ${write.issuedSeq}: ${why}`;
    this.#report('no effect without its intent', what);
  }

  /** Once the copy has ended, and all that was on its way has arrived. */
  atEnd(state: MoveState): void {
    for (const { name } of state.plan.topics) {
      const topic = this.#target.topics.get(name);
      if (topic === undefined) continue;
      for (const key of new Set([...topic.own.keys(), ...topic.rightful.keys()])) {
        const [own, rightful] = [topic.own.get(key) ?? null, topic.rightful.get(key) ?? null];
        const isAsWe = state.levers.some((lever) => lever.key === key && lever.whileCopying === rightful);
        if (own !== rightful && !isAsWe && !this.#isRaced(topic, key))
          this.#report('levers are as they were', `${name}: ${key} is ${own}, and would be ${rightful} without a copy`);
      }
    }
    this.acls.atEnd(state);
    if (state.stage.kind === 'removed') this.#whatIsLeft(state);
  }

  #whatIsLeft({ kept, plan, rebuilt }: MoveState): void {
    for (const { name, madeBy, groups, partitions, changedAtMs } of this.#target.topics.values()) {
      if (madeBy !== 'copy' || this.#late.has(name)) continue;
      const make = plan.topics.find((topic) => topic.name === name)?.make;
      // Where the answer was lost, its settings tell; but not where it has none, or others by now.
      const isUntold = make != null && (Object.keys(make.settings).length === 0 || changedAtMs.size > 0);
      if (isUntold && kept[name]?.startsWith('who has made it is not known')) continue;
      if (rebuilt.includes(name) && kept[name]?.startsWith('it was there before')) continue;
      const isNeeded = groups.size > 0 || partitions.some(({ foreignAtMs }) => foreignAtMs !== null);
      const why = kept[name];
      if (why === undefined) this.#report('what was made is removed', `${name} is there, and nothing says why`);
      else if (!isNeeded) this.#report('what was made is removed', `${name} is kept: ${why}; nobody needs it`);
    }
  }
}
