import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { readUntil } from '../contract/group.ts';
import { findMarked } from './local/marked.ts';
import { makeSetting, type Setting } from './local/setting.ts';

const settings: Setting[] = [];
const controllers: ChildProcess[] = [];

afterEach(async () => {
  for (const controller of controllers.splice(0)) controller.kill('SIGKILL');
  for (const setting of settings.splice(0)) await setting.dispose();
});

async function open(): Promise<Setting> {
  const setting = await makeSetting({ local: { stopMsMax: 20_000 } });
  settings.push(setting);
  return setting;
}

function startController(setting: Setting, crashAt: number): ChildProcess {
  const file = fileURLToPath(new URL('./local/controller.ts', import.meta.url));
  const parameters = [file, setting.stateDirectory, JSON.stringify(setting.group), String(crashAt)];
  const controller = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  controllers.push(controller);
  return controller;
}

/** A new controller reaches two healthy instances, with one process each and nothing beside them. */
async function expectTwoAndNoMore(setting: Setting): Promise<void> {
  const group = setting.open();
  await group.resize({ desired: 2 }, AbortSignal.timeout(30_000));
  const reading = await readUntil(
    { group, pass: () => sleep(30) },
    ({ instances }) => instances.length === 2 && instances.every((instance) => instance.state === 'healthy'),
    2_000,
  );
  expect(reading.instances.map((instance) => instance.restarts)).toEqual([0, 0]);
  for (let look = 0; look < 100 && findMarked(setting.mark).length !== 2; look += 1) await sleep(50);
  const found = findMarked(setting.mark);
  const ports = found.map((one) => Number(one.commandLine.split(' ').at(-2)));
  expect(ports.sort((a, b) => a - b)).toEqual([setting.firstPort, setting.firstPort + 1]);
}

describe('a controller that is killed', () => {
  it('at any of its steps leaves no orphan and no double to the next one', { timeout: 600_000 }, async () => {
    const whole = startController(await open(), 0);
    const points = Number(await text(whole.stdout ?? process.stdin));
    expect(points).toBeGreaterThanOrEqual(24);
    for (let crashAt = 1; crashAt <= points; crashAt += 1) {
      const setting = await open();
      const controller = startController(setting, crashAt);
      const [, signal] = await once(controller, 'exit');
      // Timing decides over the last few points: a run may have fewer of them.
      if (crashAt <= 24) expect({ crashAt, signal }).toEqual({ crashAt, signal: 'SIGKILL' });
      await expectTwoAndNoMore(setting);
      await setting.dispose();
      settings.splice(settings.indexOf(setting), 1);
    }
  });

  it('at any moment leaves no orphan and no double to the next one', { timeout: 300_000 }, async () => {
    for (let run = 0; run < 12; run += 1) {
      const setting = await open();
      const controller = startController(setting, 0);
      const ended = once(controller, 'exit');
      const killAfterMs = 150 + Math.random() * 700;
      await Promise.race([sleep(killAfterMs), ended]);
      controller.kill('SIGKILL');
      await ended;
      await expectTwoAndNoMore(setting).catch((error: unknown) => {
        throw new Error(`killed after ${killAfterMs} ms`, { cause: error });
      });
      await setting.dispose();
      settings.splice(settings.indexOf(setting), 1);
    }
  });
});

describe('several controllers at once', () => {
  it('start every instance once; the others are refused by name and go on reading', async () => {
    const setting = await open();
    const groups = [setting.open(), setting.open(), setting.open()];
    const signal = AbortSignal.timeout(30_000);
    const outcomes = await Promise.allSettled(groups.map((group) => group.resize({ desired: 2 }, signal)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toHaveLength(2);
    for (const error of refused) expect(error).toMatchObject({ code: 'refused', retriable: true });
    for (const group of groups) {
      await readUntil(
        { group, pass: () => sleep(30) },
        ({ instances }) => instances.filter((instance) => instance.state === 'healthy').length === 2,
        2_000,
      );
    }
    expect(findMarked(setting.mark)).toHaveLength(2);
  });

  it('hand over when the one in control is killed', async () => {
    const setting = await open();
    const first = startController(setting, 0);
    for (let look = 0; look < 2_000 && findMarked(setting.mark).length === 0; look += 1) await sleep(10);
    const second = setting.open();
    await expect(second.resize({ desired: 2 }, AbortSignal.timeout(30_000))).rejects.toThrow(
      `process ${first.pid} controls`,
    );
    first.kill('SIGKILL');
    await once(first, 'exit');
    for (let look = 0; look < 100; look += 1) {
      const error = await second.resize({ desired: 2 }, AbortSignal.timeout(30_000)).catch((reason: unknown) => reason);
      if (error === undefined) break;
      await sleep(50);
    }
    await readUntil(
      { group: second, pass: () => sleep(30) },
      ({ instances }) => instances.length === 2 && instances.every((instance) => instance.state === 'healthy'),
      2_000,
    );
    expect(findMarked(setting.mark)).toHaveLength(2);
  });
});
