import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MoverProcess } from '../../../engine/move-ports.ts';
import { type MoverMachine, openMoverEnd } from '../channel/controllers-end.ts';
import { type ClusterAccess, type FromMover, isMessage } from '../channel/messages.ts';

export type MoverPlace = {
  readonly source: ClusterAccess;
  readonly target: ClusterAccess;
  readonly version: string;
  /** Ledgers are in it, and who writes them. */
  readonly stateDirectory: string;
  readonly operation: string;
};

/**
 * The data is moved by a process of its own, with the same Node: whatever it is busy with, its controller hears who wants it held. It
 * is in a session of its own, so that what is typed at a terminal reaches the controller alone.
 */
export function openMoverProcess({ source, target, version, stateDirectory, operation }: MoverPlace): MoverProcess {
  const ledgers = join(stateDirectory, 'copies');
  const record = join(ledgers, `${operation}.mover`);
  return openMoverEnd(machineWith(ledgers), { source, target, version, ledgers, record });
}

function machineWith(ledgers: string): MoverMachine {
  return {
    clockNs: () => process.hrtime.bigint(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    launch(heard, over) {
      mkdirSync(ledgers, { recursive: true, mode: 0o700 });
      const entry = fileURLToPath(new URL(`./process${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
      const child = spawn(process.execPath, [entry], {
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        serialization: 'advanced',
      });
      let words = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-lastWordsMax);
      });
      child.on('message', (message) => {
        if (isMessage(message)) heard(message as FromMover);
      });
      let isOver = false;
      const end = (how: string) => {
        if (isOver) return;
        isOver = true;
        over(words.trim() === '' ? how : words.trim());
      };
      child.on('error', (error) => end(`it could not be started: ${error.message}`));
      // Behind what was written before the end.
      child.on('close', (code, signal) =>
        end(signal === null ? `it ended with exit status ${code}` : `it was ended by ${signal}`),
      );
      return {
        // Whether it has arrived shows in what it does: an end in the middle is told as an end.
        send: (message) => void (child.connected && child.send(message, undefined, undefined, () => undefined)),
        kill: () => void child.kill('SIGKILL'),
      };
    },
  };
}

const lastWordsMax = 4000;
