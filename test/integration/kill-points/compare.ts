import type { Entry } from '../../../src/core/journal/entry.ts';
import type { RolloutEvent } from '../../../src/core/rollout/events.ts';
import type { End } from './scenario.ts';

/** What is not as it was at the end of the rollout that nobody killed; empty: everything is. */
export function differences(reference: End, end: End): string[] {
  return [...wrongEnds(reference, end), ...otherWorld(reference, end), ...doubled(end)];
}

function wrongEnds(reference: End, { next, first, isVerified }: End): string[] {
  if (first.signal !== 'SIGKILL') return [`the point was not reached: ${said(first)}`];
  if (next === null) return ['nothing went on after the kill'];
  // What was taken back is not begun again under the plan that was read before.
  const isRefused = next.wasOver && reference.first.code === 2;
  const isRight = isRefused
    ? next.ended.code === 1 && /the plan is \S+ now, not/.test(next.ended.stderr)
    : next.ended.code === reference.first.code && next.ended.stderr === '';
  return [
    ...(isRight ? [] : [`drover ${next.command} ended otherwise: ${said(next.ended)}`]),
    ...(isVerified ? [] : ['the journal does not verify']),
  ];
}

function otherWorld(reference: End, end: End): string[] {
  const seen = (one: End) => ({
    'the servers': one.world,
    'the instances': one.instances,
    'the files': one.files,
    'the chains': one.operations,
    'what HAProxy was told': one.told,
    'what the journal tells': story(one.events),
    'the anchors': one.fleet.map(({ kind }) => kind),
  });
  const expected = seen(reference);
  return Object.entries(seen(end)).flatMap(([what, found]) => {
    const wanted = JSON.stringify(expected[what as keyof typeof expected]);
    return JSON.stringify(found) === wanted ? [] : [`${what}: ${JSON.stringify(found)} and not ${wanted}`];
  });
}

/** Every kind of entry in order; how many passes it takes to find something confirmed or to keep evidence does not count. */
function story(events: readonly Entry<RolloutEvent>[]): string[] {
  return events.flatMap(({ body }) => {
    if (body.kind === 'checkpoint') return [];
    return [body.kind === 'stage-entered' ? `${body.stage.kind} ${body.attempt}` : body.kind];
  });
}

function doubled({ events }: End): string[] {
  const seen = new Set<string>();
  return events.flatMap(({ body }) => {
    if (body.kind !== 'confirmed') return [];
    const key = `${body.intent} at ${body.backend}`;
    const isAgain = seen.has(key);
    seen.add(key);
    return isAgain ? [`intent ${key} was confirmed twice`] : [];
  });
}

function said({ code, signal, stdout, stderr }: End['first']): string {
  return `${signal ?? code}: ${stdout.slice(-300)}${stderr}`;
}
