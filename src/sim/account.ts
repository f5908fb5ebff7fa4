import type { RolloutEvent, Target } from '../core/rollout/events.ts';
import type { Mutation } from './engine.ts';
import type { Outcome } from './run.ts';
import type { Narrowing } from './scenario.ts';

type Repeated = Narrowing & { readonly mutation?: Mutation | null };

/**
 * The shortest account of a failed run: what was found, what happened last, what the journal says. One string of lines; the
 * last one is the command that repeats it, with whatever the scenario was narrowed to and the product was changed to.
 */
export function account(outcome: Outcome, lines = 40, repeated: Repeated = {}): string {
  const { scenario, violation, run } = outcome;
  const world = run.world.happenings.map(({ atMs, text }) => ({ atMs, text }));
  const { entries, durableAtMs } = run.checks.chain;
  const journal = entries
    .map((entry, index) => ({ entry, atMs: durableAtMs[index] ?? 0 }))
    .filter(({ entry }) => entry.body.kind !== 'checkpoint')
    .map(({ entry, atMs }) => ({ atMs, text: `[${entry.seq}] ${inWords(entry.body as RolloutEvent)}` }));
  const all = [...world, ...journal].sort((one, other) => one.atMs - other.atMs);
  const faults = Object.keys(scenario.faults).join(', ');
  return [
    violation === null
      ? `seed ${scenario.seed}: ${outcome.end ?? 'no end'} after ${clock(outcome.simulatedMs)}`
      : `seed ${scenario.seed} breaks "${violation.check}" at ${clock(violation.atMs)}: ${violation.text}`,
    `  world: ${scenario.origin.size.desired} + ${scenario.destination.size.desired} instances, ${scenario.balancers.length} balancers, ${scenario.load.baseRps} requests/s, build ${scenario.ratio}x, steps ${stepsInWords(outcome)}, poll ${scenario.timing.pollMs} ms, call ${scenario.timing.callMs} ms, faults: ${faults || 'none'}`,
    ...all.slice(-lines).map(({ atMs, text }) => `  ${clock(atMs)}  ${text}`),
    `  again: npm run sim -- --seed ${scenario.seed}${optionsOf(repeated)} --verbose`,
  ].join('\n');
}

function optionsOf({ without = [], healAtMs, mutation = null }: Repeated): string {
  const other = mutation === null ? '' : ` --mutation "${mutation.name}"`;
  const fewer = without.length === 0 ? '' : ` --without ${without.join(',')}`;
  return `${other}${fewer}${healAtMs === undefined ? '' : ` --heal-at ${healAtMs}`}`;
}

export function clock(ms: number): string {
  const seconds = ms / 1000;
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(3)}:${(seconds % 60).toFixed(3).padStart(6, '0')}`;
}

function stepsInWords(outcome: Outcome): string {
  return outcome.scenario.plan.steps
    .map((step) => (step.kind === 'capacity' ? `${step.instances} instances` : `${step.share * 100} %`))
    .join(' / ');
}

function inWords(event: RolloutEvent): string {
  switch (event.kind) {
    case 'started':
      return 'started';
    case 'intended':
      return `intended (${event.why}): share ${event.target.requestedShare}, origin ${JSON.stringify(event.target.origin)}, destination ${JSON.stringify(event.target.destination)}, ${trafficInWords(event.target)}`;
    case 'promoted':
      return `promoted step ${event.step} with evidence ${event.verdict.promote.logEvidence.toFixed(2)} by ${event.verdict.promote.by}`;
    case 'back-performed':
      return `back performed${event.all ? ' at once' : ''}, cause ${JSON.stringify(event.cause)}, evidence ${event.verdict?.rollBack.logEvidence.toFixed(2) ?? '-'}, ${trafficInWords(event.target)}`;
    case 'checkpoint':
      return 'checkpoint';
    default:
      return JSON.stringify(event);
  }
}

/** Only what carries or is in maint; servers of equal targets are told once. */
function trafficInWords(target: Target): string {
  const backends = Object.entries(target.traffic).map(([backend, servers]) => {
    const byValue = new Map<string, string[]>();
    for (const [name, { weight, admin }] of Object.entries(servers)) {
      if (name.startsWith('new') && weight === 0 && admin === 'ready') continue;
      const value = `${weight}${admin === null || admin === 'ready' ? '' : ` ${admin}`}`;
      byValue.set(value, [...(byValue.get(value) ?? []), name]);
    }
    return `${backend}: ${[...byValue].map(([value, names]) => `${names.join(' ')} = ${value}`).join('; ')}`;
  });
  return new Set(backends.map((line) => line.slice(line.indexOf(':')))).size === 1
    ? (backends[0] ?? '')
    : backends.join(' | ');
}
