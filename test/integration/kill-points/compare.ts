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
    ? next.ended.code === 1 && /the plan of web is \S+ now, not/.test(next.ended.stderr)
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
    'what HAProxy was told': toldOnce(one),
    'what the journal tells': storyOf(one.events),
    'the anchors': one.fleet.map(({ kind }) => kind),
  });
  const expected = seen(reference);
  return Object.entries(seen(end)).flatMap(([what, found]) => {
    const wanted = JSON.stringify(expected[what as keyof typeof expected]);
    return JSON.stringify(found) === wanted ? [] : [`${what}: ${JSON.stringify(found)} and not ${wanted}`];
  });
}

/**
 * Every kind of entry in order; how often evidence was kept does not count. A drill whose measurement died with its controller is
 * repeated, and what is left of the first one is no part of the story.
 */
function storyOf(events: readonly RolloutEvent[]): string[] {
  const story = events.flatMap((body) => {
    if (body.kind === 'checkpoint') return [];
    return [body.kind === 'stage-entered' ? `${body.stage.kind} ${body.attempt}` : body.kind];
  });
  for (let left = lostDrills(events); left > 0; left--) {
    const [from, to] = [
      story.indexOf('drill-shifting 0'),
      story.indexOf('drill-shifting 0', story.indexOf('drill-back 0')),
    ];
    story.splice(from, to - from);
  }
  return withoutLastSteps(story);
}

/** Whether the judge decides in the pass before or after that in which its step began is chance. */
function withoutLastSteps(story: readonly string[]): string[] {
  const at = story.indexOf('back-performed');
  let from = at;
  while (['confirmed', 'judging 1'].includes(story[from - 1] ?? '')) from--;
  return at === -1 ? [...story] : [...story.slice(0, from), ...story.slice(at)];
}

/** The same for what HAProxy was told: the lever that is moved, and moved back, once more. */
function toldOnce({ events, told }: End): End['told'] {
  const once = (words: readonly string[]) => {
    const left = [...words];
    for (let lost = lostDrills(events); lost > 0; lost--)
      if (left[1] === left[3] && left[2] === left[4] && left.length > 4) left.splice(1, 2);
    return left;
  };
  return Object.fromEntries(Object.entries(told).map(([lever, words]) => [lever, once(words)]));
}

function lostDrills(events: readonly RolloutEvent[]): number {
  const count = (kind: 'drill-back' | 'drill-measured') =>
    events.filter((body) => body.kind === kind || (body.kind === 'stage-entered' && body.stage.kind === kind)).length;
  return Math.max(0, count('drill-back') - Math.max(1, count('drill-measured')));
}

function doubled({ events }: End): string[] {
  const seen = new Set<string>();
  return events.flatMap((body) => {
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
