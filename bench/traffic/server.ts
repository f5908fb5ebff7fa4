// One instance of a group: answers after a moment, and tells when it was last given something. Port and name from its environment.
import { createServer } from 'node:http';

const answerMs = 20;
/** Monotonic time of this machine, the same in every process, in ms. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

let seen = 0;
let lastArrivalMs = 0;
let lastEndMs = 0;

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.url === '/healthz') return void response.end('fine');
  if (request.url === '/seen')
    return void response.end(JSON.stringify({ pid: process.pid, seen, lastArrivalMs, lastEndMs }));
  seen++;
  lastArrivalMs = now();
  setTimeout(() => {
    response.setHeader('x-server', process.env['INSTANCE'] ?? '');
    response.end('ok');
    lastEndMs = now();
  }, answerMs);
});
server.listen(Number(process.env['PORT']), '127.0.0.1');
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
