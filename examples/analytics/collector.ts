import { mkdirSync } from 'node:fs';
import { openEventLog } from './event-log.ts';
import { json, serve, setting } from './service.ts';

/** The edge: `POST /events` with `{ "id": … }`. An event is acknowledged (201) only when it is on the disk. */
const directory = setting('DATA');
mkdirSync(directory, { recursive: true });
const log = await openEventLog(directory, setting('INSTANCE'));

serve(async (request, body) => {
  if (request.method !== 'POST' || request.url !== '/events') return json(404, { error: 'POST /events' });
  const id = eventId(body);
  if (id === null) return json(400, { error: 'an event is {"id": "…"}' });
  await log.append(id);
  return json(201, { id });
});

function eventId(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body);
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : null;
    return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? id : null;
  } catch {
    return null;
  }
}
