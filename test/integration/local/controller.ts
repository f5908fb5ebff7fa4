import childProcess from 'node:child_process';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { GroupConfig } from '../../../src/core/fleet/config.ts';
import { LocalGroup } from '../../../src/io/provider/local/group.ts';
import { clock } from './setting.ts';

// A controller of its own process, for the tests: grows a group to two, shrinks it to one, and may kill itself with SIGKILL
// right before or after any of the calls that change something outside. `node controller.ts STATE_DIRECTORY GROUP CRASH_AT`,
// where the group is JSON and CRASH_AT counts from 1 (0: never). The number of points is its last line of output.
const [, , stateDirectory = '', groupText = '', crashAt = '0'] = process.argv;
let points = 0;

function point(): void {
  points += 1;
  if (points === Number(crashAt)) process.kill(process.pid, 'SIGKILL');
}

const { rename, rm } = files;
files.rename = async (...parameters) => {
  point();
  await rename(...parameters);
  point();
};
files.rm = async (...parameters) => {
  point();
  await rm(...parameters);
  point();
};
const { spawn } = childProcess;
Object.assign(childProcess, {
  spawn(...parameters: Parameters<typeof spawn>) {
    point();
    const child = spawn(...parameters);
    point();
    return child;
  },
});
const { kill } = process;
process.kill = (pid, signal) => {
  if (pid === process.pid) return kill(pid, signal);
  point();
  kill(pid, signal);
  point();
  return true;
};
const end = Socket.prototype.end;
Object.assign(Socket.prototype, {
  end(this: Socket, ...parameters: Parameters<typeof end>) {
    const opensGate = String(parameters[0]) === 'go\n';
    if (opensGate) point();
    const ended = end.apply(this, parameters);
    if (opensGate) point();
    return ended;
  },
});
syncBuiltinESMExports();

const group = z.custom<GroupConfig>().parse(JSON.parse(groupText));
const local = new LocalGroup({ name: 'query.vpc', group, stateDirectory, mode: 'control', clock });
const signal = AbortSignal.timeout(100_000);
for (const desired of [2, 1]) {
  await local.resize({ desired }, signal);
  for (;;) {
    const { instances } = await local.read(signal);
    if (instances.length === desired && instances.every((instance) => instance.state === 'healthy')) break;
    await sleep(30);
  }
}
await local.close();
process.stdout.write(`${points}\n`);
