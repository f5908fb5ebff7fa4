import { mkdirSync } from 'node:fs';
import { countEvents } from './event-log.ts';
import { json, serve, setting } from './service.ts';

/** Answers from the collectors' logs: `GET /count` counts now, `GET /dashboard` is at most a quarter of a second old. */
const directory = setting('DATA');
mkdirSync(directory, { recursive: true });
const freshMs = 250;
const count = countEvents(directory);
let counted: { readonly atMs: number; readonly events: Promise<number> } | null = null;

serve(async (request) => {
  if (request.url === '/count') return json(200, { events: await countAfterThis() });
  if (request.url === '/dashboard') return json(200, { events: await (counted ?? countAgain()).events });
  return json(404, { error: 'GET /count or /dashboard' });
});

function countAgain(): { readonly atMs: number; readonly events: Promise<number> } {
  counted = { atMs: performance.now(), events: (counted?.events ?? Promise.resolve(0)).then(count, count) };
  return counted;
}

/** One count at a time: each continues where the one before ended. */
function countAfterThis(): Promise<number> {
  return countAgain().events;
}

setInterval(() => {
  if (counted !== null && performance.now() - counted.atMs >= freshMs) countAgain();
}, freshMs).unref();
