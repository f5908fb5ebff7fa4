import { expect, test } from 'vitest';
import { followBack } from '../../src/cli/back/follow.ts';
import { PortError } from '../../src/engine/ports.ts';
import { contextInMemory } from '../made/context.ts';

test.each([
  [[], ['rolled back: everything is as it was found']],
  [
    ['edge/web: classic-2 is in maint, and was found ready'],
    ['rolled back, and not everything is as it was found:', '  edge/web: classic-2 is in maint, and was found ready'],
  ],
])('what the controller found left at its end is told: %o', async (left, lines) => {
  const { context } = contextInMemory({
    clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
    world: {
      askControl: (_path, request) =>
        request.kind === 'end'
          ? Promise.resolve({ kind: 'ended', stage: 'rolled-back', left })
          : Promise.resolve({ pid: 7, operation: 'rollout-web-1', status: null, trouble: null, standing: [] }),
    },
  });
  const said: string[] = [];
  expect(await followBack(context, 'control.sock', 'rollout-web-1', (line) => said.push(line))).toBe(true);
  expect(said).toEqual(lines);
});

test('a controller that hangs after it was asked for the way back is not waited for: another way is taken', async () => {
  const asked: string[] = [];
  const { context } = contextInMemory({
    clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
    world: {
      askControl: (_path, request) => {
        asked.push(request.kind);
        if (request.kind === 'end') return new Promise(() => undefined);
        return Promise.reject(new PortError('timeout', 'no answer', { retriable: true }));
      },
    },
  });
  await expect(followBack(context, 'control.sock', 'rollout-web-1', () => undefined)).rejects.toMatchObject({
    code: 'timeout',
  });
  expect(asked).toEqual(['end', 'status', 'status']);
});
