// A process of users that keep their connections: its parent says how many requests a second to which address, and asks for the count.
import { Agent, request } from 'undici';

type Ask = { readonly kind: 'start'; readonly url: string; readonly rps: number } | { readonly kind: 'count' };
export type Count = { readonly answered: number; readonly failed: number; readonly destination: number };

const agent = new Agent({ connections: 64, keepAliveTimeout: 60_000 });
const tickMs = 5;
let [answered, failed, destination] = [0, 0, 0];

process.on('message', (ask: Ask) => {
  if (ask.kind === 'start') start(ask.url, ask.rps);
  if (ask.kind === 'count') process.send?.({ answered, failed, destination } satisfies Count);
});
// A parent that is gone asks for nothing any more.
process.on('disconnect', () => process.exit(0));

function start(url: string, rps: number): void {
  const startedMs = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) * rps) / 1000);
    // A machine that stood still is not made up for.
    sent = Math.max(sent, due - rps / 10);
    for (; sent < due; sent++) void ask(url);
  }, tickMs);
}

async function ask(url: string): Promise<void> {
  try {
    const { body, headers, statusCode } = await request(url, { dispatcher: agent });
    await body.dump();
    if (statusCode >= 500) failed++;
    else {
      answered++;
      if (String(headers['x-server']).startsWith('vpc')) destination++;
    }
  } catch {
    failed++;
  }
}
