import { fileURLToPath } from 'node:url';
import { PortError } from '../../../engine/ports.ts';
import { type FromMover, isMessage, type ToMover } from '../channel/messages.ts';
import { MoversEnd } from '../channel/movers-end.ts';
import { startMover } from './mover-run.ts';
import { endPreviousMover, forgetMover } from './previous-mover.ts';

/* The process that moves the data: what it does is in channel/movers-end.ts, what it is made of in mover-run.ts. */

const end = new MoversEnd({
  clockNs: () => process.hrtime.bigint(),
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  endPrevious: (record) => endPreviousMover(record, fileURLToPath(import.meta.url)),
  forget: forgetMover,
  start(beginning, wasSettled, leaseEndsNs, tell) {
    const sendBeforeMs = () => performance.now() + Number(leaseEndsNs() - process.hrtime.bigint()) / 1e6;
    return startMover(beginning, wasSettled, sendBeforeMs, tell);
  },
  tell(message) {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  },
  leave,
});

process.on('message', (message) => {
  if (isMessage(message)) end.obey(message as ToMover).catch(fail);
});
process.on('disconnect', () => void end.stop().catch(fail));
// Ctrl-C at a terminal is for the controller, which says here what it wants.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);

function leave(message: FromMover): void {
  if (!process.connected) process.exit(0);
  process.send?.(message, undefined, undefined, () => process.exit(0));
}

function fail(error: unknown): void {
  process.stderr.write(`${wordsOf(error)}\n`);
  process.exit(1);
}

/** What is wrong outside is told in a sentence; a defect with the place where it was found. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isDefect = !(error instanceof PortError) && error.constructor !== Error;
  return isDefect ? (error.stack ?? error.message) : error.message;
}
