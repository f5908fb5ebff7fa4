import { expect, test } from 'vitest';
import type { Context, World } from '../../src/cli/context.ts';
import { openAnnouncer } from '../../src/cli/controller/announce.ts';
import type { Config } from '../../src/core/fleet/config.ts';
import type { Entry } from '../../src/core/journal/entry.ts';
import type { Notification } from '../../src/core/rollout/notification.ts';
import { differences } from '../docs/page.ts';
import { entries } from '../rollout/life.ts';

function announced(before: readonly Entry[], told: readonly Entry[], notify = [{ kind: 'webhook', url: 'u' }]) {
  const sent: Notification[] = [];
  const notifier = { send: (each: Notification) => sent.push(each), close: () => Promise.resolve() };
  const world: Partial<World> = { openNotifier: () => notifier };
  const context = { world } as Context;
  const announcer = openAnnouncer(context, { notify } as Partial<Config> as Config, before, () => undefined);
  for (const entry of told) announcer.entry(entry);
  return sent;
}

test('every event that people need is told once, as the page promises, with owner, builds and head', () => {
  const sent = announced(entries.slice(0, 1), entries.slice(1));
  expect(sent.map(({ event }) => event)).toEqual([
    'started',
    'drill-measured',
    'stage-entered',
    'builds-changed',
    'held',
    'resumed',
    'promoted',
    'stage-entered',
    'back-performed',
    'rolled-back',
    'completed',
    'retired',
  ]);
  for (const each of sent) {
    expect(differences('notifications.md', 'webhook', each), each.event).toEqual([]);
    expect(each.owner).toBe('team-query');
    expect(each.head.hash).toBe(entries[each.head.seq - 1]?.hash);
  }
  expect(sent.map(({ builds }) => builds.destination)).toEqual([...Array(3).fill('v41'), ...Array(9).fill('v42')]);
});

test('the way back says why, and what the judge had', () => {
  const back = announced(entries.slice(0, 1), entries.slice(1)).find(({ event }) => event === 'back-performed');
  expect(back).toMatchObject({
    cause: { kind: 'judge', by: 'comparison' },
    evidence: { logEvidence: 8.14, threshold: 7.6, by: 'comparison' },
    text: expect.stringContaining('evidence 8.14 of 7.60 by the comparison'),
  });
});

test('the whole share is told as what it is, not as one more step', () => {
  const steps = announced(entries.slice(0, 1), entries.slice(1)).filter(({ event }) => event === 'stage-entered');
  expect(steps.map(({ step, text }) => [step, text])).toEqual([
    [1, 'step 1 of 1 is judged'],
    [2, 'the whole share: only objective and tripwires watch'],
  ]);
});

test('a controller that goes on after another does not tell the start again, and knows the builds of now', () => {
  const sent = announced(entries.slice(0, 9), entries.slice(9, 10));
  expect(sent).toMatchObject([{ event: 'resumed', builds: { destination: 'v42' } }]);
});

test('nothing is opened where nobody is to be told', () => {
  expect(announced(entries.slice(0, 1), entries.slice(1), [])).toEqual([]);
});
