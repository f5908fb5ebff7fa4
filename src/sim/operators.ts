import type { OperatorRequest } from '../core/rollout/observation.ts';
import type { OperatorAct } from './faults.ts';
import type { Random } from './random.ts';
import { putBack, scaleInByOthers } from './world/misfortunes.ts';
import type { World } from './world/world.ts';

/** What operators see and reach. `ask` reaches a controller that is alive, if there is one. */
export type OperatorsView = {
  readonly world: World;
  readonly held: () => string | null;
  readonly goingBack: () => boolean;
  readonly ended: () => boolean;
  readonly ask: (request: OperatorRequest) => boolean;
  /** The marker and maint, without any controller; or only the marker, where somebody was cut off behind it. */
  readonly backOffline: (byMarkerAlone: boolean) => void;
  readonly suffered: (act: OperatorAct) => void;
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Operators who do this and that at random, look after what is held, and lose patience at last. */
export function plantOperators(view: OperatorsView, random: Random): void {
  for (const act of ['hold', 'resume', 'back', 'back-all', 'offline-back'] as const)
    plantAct(view, random.fork(act), act);
  attend(view, random.fork('attentive'));
  if (view.world.scenario.faults['origin-dies'] !== undefined) blame(view, random.fork('blaming'));
  if (view.world.scenario.faults['origin-short'] !== undefined) worry(view, random.fork('worrying'));
  const { healAtMs, patienceMs } = view.world.scenario;
  view.world.schedule.at(healAtMs + patienceMs, () => giveUp(view));
}

function plantAct(view: OperatorsView, random: Random, act: OperatorAct): void {
  const { world } = view;
  const perHour = world.scenario.faults[act];
  if (perHour === undefined) return;
  world.schedule.after(random.exponential(hourMs / perHour), () => {
    if (world.healed || view.ended()) return;
    if (perform(view, random, act)) view.suffered(act);
    plantAct(view, random, act);
  });
}

function perform(view: OperatorsView, random: Random, act: OperatorAct): boolean {
  switch (act) {
    case 'hold':
      return hold(view, random);
    case 'resume':
      return view.ask({ kind: 'resume', by: 'kim', reason: random.chance(0.5) ? 'looked at it' : null });
    case 'back':
    case 'back-all':
      insist(view, act === 'back-all');
      return true;
    case 'offline-back':
      view.backOffline(random.chance(0.4));
      return true;
    default:
      return act satisfies never;
  }
}

/** Who holds does so because somebody works at the fleets: where others scale in at all, they do it soon after. */
function hold({ world, ask, ended }: OperatorsView, random: Random): boolean {
  if (!ask({ kind: 'hold', by: 'kim', why: 'lunch' })) return false;
  if (world.scenario.faults['scale-in-by-others'] === undefined) return true;
  const own = random.fork('scale in');
  world.schedule.after(own.between(5, 40) * 1000, () => {
    if (!world.healed && !ended()) scaleInByOthers(world, own);
  });
  return true;
}

/** A way back that was asked for is asked for again until it is seen; with no controller to ask it is taken by hand. */
function insist(view: OperatorsView, all: boolean): void {
  if (view.ended() || view.goingBack()) return;
  if (!view.ask({ kind: 'back', by: 'kim', reason: 'not today', all })) view.backOffline(false);
  view.world.schedule.after(30_000, () => insist(view, all));
}

/** Who sees users without a server takes the traffic back, before anybody has looked which side it was that died. */
function blame(view: OperatorsView, random: Random): void {
  const { world } = view;
  world.schedule.after(random.between(5, 25) * 1000, () => {
    if (world.healed || view.ended()) return;
    const isGone = [...world.balancers.values()].some((balancer) => !balancer.hasOrigin());
    if (isGone && random.chance(0.05)) insist(view, false);
    blame(view, random);
  });
}

/** Who sees that the origin has lost what it ran on wants to be back on it before more is lost. */
function worry(view: OperatorsView, random: Random): void {
  const { world } = view;
  world.schedule.after(random.between(20, 80) * 1000, () => {
    if (world.healed || view.ended()) return;
    const { capacityMax, size } = world.origin;
    if (capacityMax < size.desired && random.chance(0.25)) insist(view, false);
    worry(view, random);
  });
}

/** Somebody looks at what is held: seldom while things go wrong, often once the world is healed. */
function attend(view: OperatorsView, random: Random): void {
  const { world } = view;
  world.schedule.after(world.healed ? minuteMs : random.between(1, 6) * minuteMs, () => {
    if (view.ended()) return;
    if (view.held() !== null) {
      if (world.healed || random.fork(`put back at ${world.schedule.nowMs}`).chance(0.6)) putBack(world);
      view.ask({ kind: 'resume', by: 'kim', reason: 'looked at it' });
    }
    attend(view, random);
  });
}

/** First what the origin can carry; half an hour later everything, whatever it can carry. */
function giveUp(view: OperatorsView): void {
  if (view.ended()) return;
  const { healAtMs, patienceMs } = view.world.scenario;
  const all = view.world.schedule.nowMs > healAtMs + patienceMs + 30 * minuteMs;
  if (all || !view.goingBack()) view.ask({ kind: 'back', by: 'kim', reason: 'it does not get anywhere', all });
  view.world.schedule.after(minuteMs, () => giveUp(view));
}
