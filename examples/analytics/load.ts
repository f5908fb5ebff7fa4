import { createWriteStream } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';

/**
 * The users: so many events and so many pages per second, whatever the answers (an open loop), until standard input ends.
 * Every request becomes one line of the ledger when it has ended:
 * `[begun ms, ended ms, "event" | "page", status (0: none), instance, "" | "planted" | error, event id]`.
 */
const { values } = parseArgs({
  options: {
    collector: { type: 'string' },
    frontend: { type: 'string' },
    rate: { type: 'string', default: '200' },
    ledger: { type: 'string' },
  },
});
const { collector, frontend, ledger } = values;
if (collector === undefined || frontend === undefined || ledger === undefined) {
  throw new Error('usage: load.ts --collector URL --frontend URL --ledger FILE [--rate PER_SECOND]');
}
const perSecond = Number(values.rate);
const answerMsMax = 10_000;
const tickMs = 10;
// Idle connections are given up before the balancer does, so that none is used at the moment in which it is closed.
const agent = new Agent({ keepAlive: true, maxSockets: 2000, timeout: 3000 });
const lines = createWriteStream(ledger, { flags: 'a' });
const startedAtMs = performance.now();
let open = 0;
let begun = 0;
let ending = false;

const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedAtMs) / 1000) * perSecond);
  // After a pause of the machine the users do not all come at once.
  begun = Math.max(begun, due - perSecond);
  for (; begun < due; begun++) {
    const id = `${process.pid}-${begun}`;
    send('event', `${collector}/events`, id);
    send('page', `${frontend}/`, '');
  }
}, tickMs);

process.stdin.resume();
process.stdin.on('end', end);
process.on('SIGTERM', end);
process.on('SIGINT', () => undefined);

function end(): void {
  ending = true;
  clearInterval(timer);
  finishWhenIdle();
}

function finishWhenIdle(): void {
  if (!ending || open > 0) return;
  lines.end(() => process.exit(0));
}

function send(kind: 'event' | 'page', url: string, id: string): void {
  open++;
  const begunAtMs = Date.now();
  let written = false;
  const done = (status: number, instance: string, note: string): void => {
    if (written) return;
    written = true;
    lines.write(`${JSON.stringify([begunAtMs, Date.now(), kind, status, instance, note, id])}\n`);
    open--;
    finishWhenIdle();
  };
  const options = { agent, method: kind === 'event' ? 'POST' : 'GET', signal: AbortSignal.timeout(answerMsMax) };
  const call = request(url, options, (response) => {
    response.resume();
    response.on('end', () => done(response.statusCode ?? 0, servedBy(response), noteOf(response)));
    response.on('error', (error) => done(0, '', error.message));
  });
  call.on('error', (error) => done(0, '', error.message));
  call.end(kind === 'event' ? JSON.stringify({ id }) : undefined);
}

/** The instance of the service that moves: of a page the query's, not the front end's. */
function servedBy({ headers }: IncomingMessage): string {
  return String(headers['x-query-instance'] ?? headers['x-instance'] ?? '');
}

function noteOf({ headers, statusCode }: IncomingMessage): string {
  if (headers['x-planted'] !== undefined) return 'planted';
  return (statusCode ?? 0) < 400 ? '' : `status ${statusCode}`;
}
