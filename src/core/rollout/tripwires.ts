import { lateRequests } from '../judge/counting.ts';
import { verdict } from '../judge/judge.ts';
import type { ServerReading } from '../observed/backend.ts';
import type { GroupReading, InstanceState } from '../observed/group.ts';
import { instancesAt } from '../observed/instances.ts';
import type { Reading } from '../observed/reading.ts';
import { carriesByTarget } from './effects.ts';
import type { BackCause } from './events.ts';
import { lastWords } from './last-words.ts';
import { recentTally } from './load.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';
import { carryingServers } from './targets.ts';
import type { Watch } from './watch.ts';

/** Restarts of destination instances, with one pair of builds, that take the way back. */
const restartsMax = 3;

/** Absolute alarms that take the way back without statistics; null: none. Silent while the destination carries nothing. */
export function tripped(state: RolloutState, watch: Watch, observation: Observation): BackCause | null {
  if (state.intended === null) return null;
  const carrying = carryingServers(state.intended.target.traffic, state.asFound, state.plan.backends);
  if (carrying.length === 0) return null;
  return crashLoop(watch, observation) ?? halfDown(state, observation) ?? hung(state, watch);
}

/** The judge's word, once it is `roll back`. */
export function judgedBack(watch: Watch): BackCause | null {
  const word = verdict(watch.judge);
  return word.verdict === 'roll back' ? { kind: 'judge', by: word.rollBack.by ?? 'comparison' } : null;
}

/** A destination that fails at least half of its attempts is left at once, whatever the origin can carry. */
export function destinationFails(watch: Watch): boolean {
  const { attempts, failures } = recentTally(watch.recent, 'destination');
  return attempts >= 20 && failures * 2 >= attempts;
}

function crashLoop(watch: Watch, observation: Observation): BackCause | null {
  const group = observation.destination.reading;
  const looping = group.known ? group.value.instances.find((one) => one.state === 'crash-looping') : undefined;
  if (looping !== undefined) {
    return {
      kind: 'tripwire',
      wire: 'crash loop',
      detail: `${looping.id} does not stay up; ${lastWords(looping) ?? 'it wrote nothing'}`,
    };
  }
  if (watch.restarts.total < restartsMax) return null;
  return {
    kind: 'tripwire',
    wire: 'restarts',
    detail: `destination instances ended by themselves ${watch.restarts.total} times`,
  };
}

/** Of the servers that are to carry at one backend, by whoever checks them: the balancer, else the provider. */
function halfDown(state: RolloutState, observation: Observation): BackCause | null {
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    if (!reading?.known || state.confirmed[plan.id] === undefined) continue;
    const carrying = reading.value.servers.filter(({ name }) => carriesByTarget(plan, name, targets[name]));
    const failing = carrying.filter((server) => failsCheck(server, observation.destination.reading));
    if (failing.length > 0 && failing.length * 2 >= carrying.length) {
      const names = failing.map((server) => server.name).join(', ');
      return {
        kind: 'tripwire',
        wire: 'health',
        detail: `${failing.length} of ${carrying.length} fail their checks at ${plan.id}: ${names}`,
      };
    }
  }
  return null;
}

/** A check that failed, and not one that nobody has made or told of: what is unknown is not failing, nor is what still starts. */
function failsCheck({ name, health }: ServerReading, group: Reading<GroupReading>): boolean {
  if (health !== 'unchecked') return health === 'down';
  return group.known && instancesAt(group.value, name).some(({ state }) => failedStates.includes(state));
}

const failedStates: readonly InstanceState[] = ['unhealthy', 'crash-looping'];

function hung(state: RolloutState, watch: Watch): BackCause | null {
  for (const plan of state.plan.backends) {
    const counting = watch.counting[plan.id];
    const requests = counting === undefined ? null : lateRequests(counting);
    if (!requests?.known || !requests.value.tripped) continue;
    const { origin, destination } = requests.value;
    const detail = `${plan.id}: ${destination.late} requests at the destination are older than 10 s (origin: ${origin.late})`;
    return { kind: 'tripwire', wire: 'hung requests', detail };
  }
  return null;
}
