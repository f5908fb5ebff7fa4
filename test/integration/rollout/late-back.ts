import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { World } from '../../../src/cli/context.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { systemClock } from '../../../src/io/clock/system.ts';
import { realWorld } from '../../../src/world.ts';

// The real command in a world in which somebody asks for the way back in the very moment in which the loop has ended: it gives
// up its lease then. What was answered lies beside the journal.
const world: World = {
  ...realWorld,
  async openJournal(path, options) {
    const journal = await realWorld.openJournal(path, options);
    const { leases } = journal;
    return new Proxy(journal, {
      get(target, key) {
        if (key === 'leases') return { ...withOnce(leases, (operation) => askBack(dirname(path), operation)) };
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  },
};

function withOnce(
  leases: Awaited<ReturnType<World['openJournal']>>['leases'],
  first: (operation: string) => Promise<void>,
) {
  return {
    acquire: leases.acquire.bind(leases),
    holderOf: leases.holderOf.bind(leases),
    async release(operation: string, holder: string) {
      await first(operation);
      await leases.release(operation, holder);
    },
  };
}

async function askBack(directory: string, operation: string): Promise<void> {
  const told = join(directory, 'late-back.json');
  if (existsSync(told)) return;
  const request = { kind: 'back', by: 'kim', reason: 'at the last moment', all: false } as const;
  const socket = join(directory, 'control.sock');
  const answer = await realWorld.askControl(
    socket,
    { kind: 'operator', operation, request },
    AbortSignal.timeout(5000),
  );
  writeFileSync(told, JSON.stringify(answer));
}

await runCommand(world, systemClock);
