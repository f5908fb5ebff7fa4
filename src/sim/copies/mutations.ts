import { presentAcls } from '../../core/move/acl-facts.ts';
import type { MoveDecision } from '../../core/move/operation/decision.ts';
import { nothing } from '../../core/move/operation/decision.ts';
import type { MoveObservation } from '../../core/move/operation/observation.ts';
import { aclsOf, type MoveState } from '../../core/move/operation/state.ts';
import { known as reading } from '../../core/observed/reading.ts';
import type { Mutation } from './mutation.ts';
import {
  asTold,
  emptyOfOthers,
  endingAsAsked,
  foundWith,
  ofAnyId,
  tellingAll,
  withoutGrowth,
  withSettings,
} from './mutations/observed.ts';

/** Known-bad products. The real one has no branch for any of them. */
export const mutations: readonly Mutation[] = [
  {
    name: 'levers are set before the journal has them',
    ...{ seenIn: 1, shownBy: [], caughtBy: ['no effect without its intent'] },
    decider: decided((decision) => {
      const intended = decision.events.find((event) => event.kind === 'levers-intended');
      if (intended === undefined) return decision;
      const changes = intended.levers.map(({ topic, key, whileCopying }) => ({ topic, key, value: whileCopying }));
      return { ...nothing, effects: [{ kind: 'change-settings', changes }], wakeAtMs: 0 };
    }),
  },
  {
    name: 'the lease is not asked for',
    ...{ seenIn: 1, shownBy: ['second-controller', 'pause'], caughtBy: ['nothing without the lease'] },
    ports: (ports) => ({
      ...ports,
      leases: {
        acquire: async (_operation, _holder, nowMs, ttlMs) => ({ held: true, fence: 1, expiresAtMs: nowMs + ttlMs }),
        release: async () => undefined,
        holderOf: async () => null,
      },
    }),
  },
  {
    name: 'before is what was planned',
    ...{ seenIn: 2, shownBy: ['settings-by-hand'], caughtBy: ['levers are as they were'] },
    decider: seen((observation, state) =>
      state.stage.kind === 'preparing' ? withSettings(observation, state, ({ before }) => before) : observation,
    ),
  },
  {
    name: 'what does not show has not been done',
    ...{ seenIn: 23, shownBy: ['read-late', 'call-late'], caughtBy: ['levers are as they were'] },
    decider: ({ decide, fold }) => ({
      decide: (state, observation) =>
        decide({ ...state, preparedAtMs: 0, leversSureAtMs: 0 }, { ...observation, quietAtMs: 0 }),
      fold,
    }),
  },
  {
    name: 'restored whatever somebody has set since',
    ...{ seenIn: 20, shownBy: ['settings-by-hand'], caughtBy: ['levers are as they were'] },
    decider: seen((observation, state) =>
      state.stage.kind === 'restoring'
        ? withSettings(observation, state, ({ whileCopying }) => whileCopying)
        : observation,
    ),
  },
  {
    name: 'ACLs are made before the journal has them',
    ...{ seenIn: 3, shownBy: [], caughtBy: ['no effect without its intent'] },
    decider: decided((decision) => {
      const intended = decision.events.find((event) => event.kind === 'acls-intended');
      if (intended === undefined || intended.acls.length === 0) return decision;
      return { ...nothing, effects: [{ kind: 'make-acls', acls: intended.acls }], wakeAtMs: 0 };
    }),
  },
  {
    name: 'an ACL that somebody has made is ours',
    ...{ seenIn: 84, shownBy: [], caughtBy: ['ACLs are as they were'] },
    decider: seen((observation, { stage, areAclsIntended }) =>
      stage.kind === 'preparing' && !areAclsIntended && observation.acls !== null
        ? { ...observation, acls: reading([]) }
        : observation,
    ),
  },
  {
    name: 'ACLs are not read back',
    ...{ seenIn: 3, shownBy: [], caughtBy: ['ACLs are as shown'] },
    decider: seen((observation, state) =>
      state.stage.kind === 'preparing' && state.areAclsIntended
        ? { ...observation, acls: reading(state.acls) }
        : observation,
    ),
  },
  {
    name: 'ACLs outlive an abort',
    ...{ seenIn: 15, shownBy: [], caughtBy: ['ACLs are as they were'] },
    decider: known((state) => (state.stage.kind === 'restoring' ? { ...state, acls: [] } : state)),
  },
  {
    name: 'rights are taken from what stays',
    ...{ seenIn: 6, shownBy: [], caughtBy: ['rights go with their topics'] },
    decider: ({ decide, fold }) => ({
      decide(state, observation) {
        const decision = decide(state, observation);
        const { acls } = observation;
        const standing = acls?.known ? presentAcls(aclsOf(state), acls.value) : [];
        const isLast = decision.events.some(({ kind }) => kind === 'copy-removed');
        return isLast && standing.length > 0
          ? { ...nothing, effects: [{ kind: 'delete-acls', acls: standing }], wakeAtMs: 0 }
          : decision;
      },
      fold,
    }),
  },
  {
    name: 'topics are known by name',
    ...{ seenIn: 146, shownBy: ['topic-remade'], caughtBy: ['only what is ours'] },
    decider: seen(ofAnyId),
  },
  {
    name: 'what is there was made by us',
    ...{ seenIn: 478, shownBy: ['topic-made-by-others'], caughtBy: ['only what is ours'] },
    decider: seen((observation) => ({ ...observation, made: foundWith(observation) })),
  },
  {
    name: 'nobody asks who needs it',
    ...{
      seenIn: 40,
      shownBy: ['group-commits', 'foreign-write'],
      caughtBy: ['nothing is removed that somebody needs'],
    },
    decider: seen(emptyOfOthers),
  },
  {
    name: 'what is made anew is not looked at',
    ...{ seenIn: 477, shownBy: ['rebuild'], caughtBy: ['nothing is removed that somebody needs'] },
    decider: seen(endingAsAsked),
  },
  {
    name: 'made anew with what was set aside',
    ...{ seenIn: 87, shownBy: ['rebuild'], caughtBy: ['levers are as they were'] },
    decider: ({ decide, fold }) => ({
      decide: (state, observation) =>
        decide(state.stage.kind === 'rebuilding' ? { ...state, levers: [] } : state, observation),
      fold,
    }),
  },
  {
    name: 'what was made is forgotten',
    ...{ seenIn: 2, shownBy: [], caughtBy: ['what was made is removed'] },
    decider: known((state) => (state.stage.kind === 'removing' ? { ...state, made: [] } : state)),
  },
  {
    name: 'a late topic is not waited for',
    ...{ seenIn: 50, shownBy: ['call-late', 'acknowledged-late'], caughtBy: ['what was made is removed'] },
    decider: seen((observation, { stage }) =>
      stage.kind === 'removing' ? { ...observation, quietAtMs: 0 } : observation,
    ),
  },
  {
    name: 'held is not told to the mover',
    ...{ seenIn: 26, shownBy: ['hold'], caughtBy: ['a hold holds'] },
    decider: decided(({ mover, ...decision }) => ({ ...decision, mover: mover && { ...mover, isHeld: false } })),
  },
  {
    name: 'nothing is urgent',
    ...{ seenIn: 3342, shownBy: ['hold'], caughtBy: ['a hold holds'] },
    inbox: (inbox) => ({ ...inbox, urgent: () => new AbortController().signal }),
  },
  {
    name: 'begun while it is held, it moves',
    ...{ seenIn: 26, shownBy: ['hold'], caughtBy: ['a hold holds'] },
    host: (host) => ({
      ...host,
      start: (beginning, ...rest) => host.start({ ...beginning, isHeld: false }, ...rest),
    }),
  },
  {
    name: 'a mover may send for as long as it likes',
    ...{ seenIn: 5, shownBy: ['pause', 'journal-stalls'], caughtBy: ['a mover has a lease'] },
    ports: ({ mover, ...ports }) => ({
      ...ports,
      mover: {
        want: (wanted, assignment) => mover.want(wanted, assignment),
        told: () => mover.told(),
        allow: () => mover.allow(3_600_000),
        news: (signal) => mover.news(signal),
        close: () => mover.close(),
      },
    }),
  },
  {
    name: 'who wakes up goes on',
    ...{ seenIn: 7987, shownBy: ['mover-stands-still'], caughtBy: ['one mover writes'] },
    host: (host) => ({
      ...host,
      endPrevious: async () => true,
      start: (beginning, wasSettled, _leaseEndsNs, tell) => host.start(beginning, wasSettled, () => 2n ** 62n, tell),
    }),
  },
  {
    name: 'it moves on while all is restored',
    ...{ seenIn: 75, shownBy: [], caughtBy: ['nothing moves after the end'] },
    decider: ({ decide, fold }) => ({
      decide(state, observation) {
        const decision = decide(state, observation);
        return state.stage.kind === 'restoring' ? { ...decision, mover: { isHeld: false, rate: null } } : decision;
      },
      fold,
    }),
  },
  {
    name: 'what has stopped is done',
    ...{ seenIn: 7, shownBy: ['partition-stops'], caughtBy: ['copied is copied'] },
    decider: seen((observation) => asTold(observation, (one) => ({ ...one, condition: { kind: 'done' } }))),
  },
  {
    name: 'unproven is not worth a word',
    ...{ seenIn: 34, shownBy: ['unproven'], caughtBy: ['what was found is journalled'] },
    decider: seen((observation) => asTold(observation, (one) => ({ ...one, unproven: [] }))),
  },
  {
    name: 'what the source has got since is not heard of',
    ...{ seenIn: 14, shownBy: ['source-grows'], caughtBy: ['what is followed grows'] },
    decider: seen(withoutGrowth),
  },
  {
    name: 'the lease is given back whatever is under way',
    ...{ seenIn: 5067, shownBy: ['stop'], caughtBy: ['given back once all is over'] },
    ports: ({ leases, ...ports }) => ({
      ...ports,
      leases: {
        async acquire(operation, holder, nowMs, ttlMs) {
          if (ttlMs > 0) return await leases.acquire(operation, holder, nowMs, ttlMs);
          await leases.release(operation, holder);
          return { held: true, fence: 1, expiresAtMs: nowMs };
        },
        release: (operation, holder) => leases.release(operation, holder),
        holderOf: (operation) => leases.holderOf(operation),
      },
    }),
  },
  {
    name: 'bytes are counted twice',
    ...{ seenIn: 1, shownBy: [], caughtBy: ['no more bytes than were sent'] },
    decider: seen(tellingAll),
  },
  {
    name: 'a removal is forgotten while all is restored',
    ...{ seenIn: 55, shownBy: ['back'], caughtBy: ['asked is answered'] },
    decider: known((state) => (state.stage.kind === 'restoring' ? { ...state, removal: null } : state)),
  },
  {
    name: 'it leaves in the middle',
    ...{ seenIn: 1, shownBy: [], caughtBy: ['journal'] },
    decider: ({ decide, fold }) => ({
      decide: (state, observation) => ({
        ...decide(state, observation),
        isOver: observation.mover.kind === 'running' || decide(state, observation).isOver,
      }),
      fold,
    }),
  },
  {
    name: 'nothing is anchored',
    ...{ seenIn: 1, shownBy: [], caughtBy: ['anchors'] },
    ports: ({ journal, ...ports }) => ({
      ...ports,
      journal: {
        append: async (head, entries) =>
          head.operation === 'fleet' ? 'appended' : await journal.append(head, entries),
        read: (operation, afterSeq) => journal.read(operation, afterSeq),
        heads: () => journal.heads(),
        close: () => journal.close(),
      },
    }),
  },
  {
    name: 'restoring is never over',
    ...{ seenIn: 1, shownBy: [], caughtBy: ['everything ends'] },
    decider: ({ decide, fold }) => ({
      decide: (state, observation) => (state.stage.kind === 'restoring' ? nothing : decide(state, observation)),
      fold,
    }),
  },
  {
    name: 'an end of a mover is a defect',
    ...{ seenIn: 14, shownBy: ['mover-dies', 'mover-cannot-start'], caughtBy: ['the controller goes on'] },
    decider: seen((observation) => {
      if (observation.mover.kind === 'failed') throw new Error(observation.mover.lastWords);
      return observation;
    }),
  },
];

/** What is decided is another thing. */
function decided(change: (decision: MoveDecision) => MoveDecision): NonNullable<Mutation['decider']> {
  return ({ decide, fold }) => ({ decide: (state, observation) => change(decide(state, observation)), fold });
}

/** The rules are shown another world. */
function seen(
  change: (observation: MoveObservation, state: MoveState) => MoveObservation,
): NonNullable<Mutation['decider']> {
  return ({ decide, fold }) => ({ decide: (state, observation) => decide(state, change(observation, state)), fold });
}

/** The rules are shown another journal. */
function known(change: (state: MoveState) => MoveState): NonNullable<Mutation['decider']> {
  return ({ decide, fold }) => ({ decide: (state, observation) => decide(change(state), observation), fold });
}
