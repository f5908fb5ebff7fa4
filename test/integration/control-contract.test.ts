import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ControlHandler } from '../../src/cli/context.ts';
import { PortError } from '../../src/engine/ports.ts';
import { askControl, listenControl } from '../../src/io/control/socket.ts';
import { plantedParts, testPlanted, type Wrong } from '../contract/clauses.ts';
import { type ControlHarness, controlClauses, controlContract } from '../contract/control.ts';

controlContract('UNIX socket', open);

async function open(): Promise<ControlHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'drover-control-'));
  const place = join(directory, 'control.sock');
  const opened: { close(): Promise<void> }[] = [];
  return {
    place,
    async listenControl(path, handler) {
      const control = await listenControl(path, (request) => handler(request as Parameters<ControlHandler>[0]));
      if (control !== 'busy') opened.push(control);
      return control;
    },
    askControl,
    leaveBehind: () => killListener(place),
    async close() {
      for (const control of opened) await control.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

test('what stands in the way and cannot be removed is named, with what to do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'drover-control-'));
  const place = join(directory, 'control.sock');
  await mkdir(place);
  const refused = await listenControl(place, async () => null).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(PortError);
  expect(refused).toMatchObject({
    code: 'denied',
    message: expect.stringMatching(/cannot be replaced: .*; make its directory writable$/),
  });
  await rm(directory, { recursive: true });
});

/** A process that listens there and is killed: its socket's file stays. */
async function killListener(place: string): Promise<void> {
  const script = "require('node:net').createServer().listen(process.argv[1], () => console.log('listening'))";
  const listener = spawn(process.execPath, ['-e', script, place], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(listener, 'exit');
  await once(listener.stdout, 'data');
  listener.kill('SIGKILL');
  await ended;
}

const wrong: readonly Wrong<ControlHarness>[] = [
  {
    wrong: 'who comes second takes the place',
    clause: 'a second controller finds the place taken, and the first one still answers',
    as: ({ listenControl }) => ({
      async listenControl(path, handler) {
        const control = await listenControl(path, handler);
        return control === 'busy' ? { close: async () => undefined } : control;
      },
    }),
  },
  {
    wrong: 'a refusal is taken for nobody',
    clause: 'a controller that refuses says why',
    as: ({ askControl }) => ({
      askControl: (path, request, signal) => askControl(path, request, signal).catch(() => undefined),
    }),
  },
  {
    wrong: 'a controller that does not answer in time is taken for nobody',
    clause: 'a controller that does not answer is a timeout when the signal says so',
    as: ({ askControl }) => ({
      askControl: (path, request, signal) => askControl(path, request, signal).catch(() => undefined),
    }),
  },
  {
    wrong: 'the socket of a killed controller is in the way for ever',
    clause: "what a killed controller has left is nobody, and is in nobody else's way",
    as: () => ({ listenControl: async () => 'busy' as const }),
  },
];

testPlanted<ControlHarness>(
  'contract of a control channel',
  controlClauses(),
  { open, close: (harness) => harness.close() },
  plantedParts(wrong, (harness, mistaken) => mistaken(harness)),
);
