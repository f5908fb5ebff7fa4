import { fileURLToPath } from 'node:url';
import { PortError } from '../../../engine/ports.ts';
import { type MoverRun, startMover } from './mover-run.ts';
import { endPreviousMover, forgetMover } from './previous-mover.ts';
import { clock, type FromMover, isMessage, type ToMover } from './wire.ts';

/*
 * The process that moves the data. It is told what to do over the channel to the controller that has started it, tells there how far it
 * is, and ends with it: once the channel is closed, or the lease is over that its controller had passed on.
 *
 *     waiting → moving ⇄ held → done | stopped
 */

const figuresEveryMs = 1000;
const leaseCheckMs = 50;

let untilNs = 0n;
let run: MoverRun | null = null;
let isEnding = false;

process.on('message', (message) => {
  if (isMessage(message)) obey(message as ToMover).catch(fail);
});
process.on('disconnect', () => void stop().catch(fail));
// Ctrl-C at a terminal is for the controller, which says here what it wants.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined);

async function obey(message: ToMover): Promise<void> {
  switch (message.kind) {
    case 'begin':
      return await begin(message);
    case 'allow':
      untilNs = message.untilNs;
      return;
    case 'hold':
      await run?.hold();
      return tellFigures();
    case 'go-on':
      run?.goOn();
      return tellFigures();
    case 'rate':
      return run?.changeRate(message.rate);
    case 'stop':
      return await stop();
    default:
      return unreachable(message);
  }
}

async function begin(message: Extract<ToMover, { kind: 'begin' }>): Promise<void> {
  untilNs = message.untilNs;
  const wasSettled = await endPreviousMover(message.record, fileURLToPath(import.meta.url));
  if (isLeaseOver() || isEnding) {
    if (wasSettled) forgetMover(message.record);
    return leave({ kind: 'stopped', isSettled: wasSettled });
  }
  const sendBeforeMs = () => performance.now() + Number(untilNs - clock()) / 1e6;
  run = await startMover(message, wasSettled, sendBeforeMs, tellFigures);
  const figures = setInterval(tellFigures, figuresEveryMs);
  const lease = setInterval(() => {
    // Somebody else may write these ledgers from now on.
    if (isLeaseOver()) leave({ kind: 'stopped', isSettled: false });
  }, leaseCheckMs);
  tellFigures();
  await run.ended;
  clearInterval(figures);
  clearInterval(lease);
  const { isSettled } = run;
  if (isSettled) forgetMover(message.record);
  leave(isEnding ? { kind: 'stopped', isSettled } : { kind: 'done', figures: run.figures(), isSettled });
}

function isLeaseOver(): boolean {
  return clock() >= untilNs;
}

function tellFigures(): void {
  if (run !== null && !isEnding) tell({ kind: 'figures', figures: run.figures() });
}

function tell(message: FromMover): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** All that was sent is answered or given up before it ends. */
async function stop(): Promise<void> {
  isEnding = true;
  // Before it has begun it has sent nothing; what the one before it has sent, its record says.
  if (run === null) leave({ kind: 'stopped', isSettled: false });
  else await run.stop();
}

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

function unreachable(message: never): never {
  throw new Error(`a mover does not know ${JSON.stringify(message)}`);
}
