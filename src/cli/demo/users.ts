import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Guard } from './guard.ts';
import { type LedgerRow, parseLedger } from './ledger.ts';
import type { Stage } from './stage.ts';

/** The load generator, a process of its own. Its ledger can be read while it goes on. */
export type Users = {
  ledger(): Promise<LedgerRow[]>;
  /** Lets the last requests end. Throws when the generator failed. */
  stop(): Promise<void>;
};

export function startUsers(stage: Stage, guard: Guard): Users {
  const file = join(stage.directory, 'ledger.jsonl');
  const options = ['--collector', stage.collectorUrl, '--frontend', stage.frontendUrl, '--ledger', file];
  const child = spawn(process.execPath, ['load.ts', ...options, '--rate', String(stage.perSecond)], {
    cwd: stage.directory,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  if (child.pid !== undefined) guard.watch(child.pid);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'exit');
  let stopped = false;
  return {
    ledger: async () => parseLedger(await readFile(file, 'utf8').catch(() => '')),
    async stop() {
      if (stopped) return;
      stopped = true;
      child.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`the load generator failed: ${said.trim()}`);
    },
  };
}
