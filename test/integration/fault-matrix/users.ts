import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request as its user saw it. `left`: the user did not wait for the end. */
export type Line = { readonly end: 'answered' | 'failed' | 'left'; readonly how: string };

/** When and how a user leaves: closing the connection, or resetting it. */
export type Leaving = {
  readonly at: 'before the answer' | 'in the answer' | 'in the upload';
  readonly by: 'close' | 'reset';
};

export type Users = {
  readonly ledger: readonly Line[];
  /** So many requests, by four users with a connection each that is kept alive. */
  ask(count: number, url?: string): Promise<void>;
  /** Goes on until it is so. */
  askUntil(isSo: () => boolean, what: string): Promise<void>;
  /** So many a second until it is so, whether or not the earlier ones were answered. `ended` is when all of them are. */
  askSteadily(perSecond: number, isSo: () => boolean, what: string): Promise<{ readonly ended: Promise<unknown> }>;
  /** All at once, on connections of their own. */
  askAtOnce(count: number, url?: string): Promise<void>;
  /** `isThere`: the servers have all of these requests by now. */
  leave(count: number, leaving: Leaving, isThere: () => boolean): Promise<void>;
  /** So many requests written at once on one connection, none waiting for the answer to the one before. */
  pipeline(count: number): Promise<void>;
  /** Leaves every connection that is kept alive. */
  reconnect(): void;
  close(): void;
};

const userCount = 4;
/** Between the requests of one user. */
const pauseMs = 8;

export function openUsers(home: string): Users {
  const ledger: Line[] = [];
  const agents = Array.from({ length: userCount }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const note = async (line: Promise<Line>) => void ledger.push(await line);
  const inTurns = async (goesOn: () => boolean, url: string) => {
    const user = async (agent: Agent) => {
      while (goesOn()) {
        await note(ask(url, agent));
        await sleep(pauseMs);
      }
    };
    await Promise.all(agents.map(user));
  };
  const atOnce = async (count: number, one: () => Promise<Line>) => {
    await Promise.all(Array.from({ length: count }, () => note(one())));
  };
  const leaveAll = () => {
    for (const agent of agents) agent.destroy();
  };
  return {
    ledger,
    async ask(count, url = home) {
      let left = count;
      await inTurns(() => left-- > 0, url);
    },
    async askUntil(isSo, what) {
      const endsAt = performance.now() + 30_000;
      await inTurns(() => {
        if (performance.now() > endsAt) throw new Error(`in 30 s of load it did not come to this: ${what}`);
        return !isSo();
      }, home);
    },
    async askSteadily(perSecond, isSo, what) {
      const endsAt = performance.now() + 30_000;
      const asked: Promise<void>[] = [];
      while (!isSo()) {
        if (performance.now() > endsAt) throw new Error(`in 30 s of load it did not come to this: ${what}`);
        asked.push(note(ask(home, new Agent())));
        await sleep(1000 / perSecond);
      }
      return { ended: Promise.all(asked) };
    },
    askAtOnce: (count, url = home) => atOnce(count, () => ask(url, new Agent())),
    leave: (count, leaving, isThere) => atOnce(count, () => leave(home, leaving, isThere)),
    pipeline: async (count) => void ledger.push(...(await pipeline(home, count))),
    reconnect: leaveAll,
    close: leaveAll,
  };
}

function ask(url: string, agent: Agent): Promise<Line> {
  return new Promise((resolve) => {
    const asked = request(url, { agent });
    asked.once('error', () => resolve({ end: 'failed', how: 'no answer' }));
    asked.once('response', (response) => void read(response).then(resolve));
    asked.end();
  });
}

function read(response: IncomingMessage): Promise<Line> {
  const status = response.statusCode ?? 0;
  return new Promise((resolve) => {
    response.once('error', () => resolve({ end: 'failed', how: `${status}, broken off` }));
    response.once('end', () => resolve({ end: status < 500 ? 'answered' : 'failed', how: String(status) }));
    response.resume();
  });
}

/** Whoever is answered all the same before leaving is in the ledger as answered. */
function leave(url: string, { at, by }: Leaving, isThere: () => boolean): Promise<Line> {
  return new Promise((resolve) => {
    const uploads = at === 'in the upload';
    const headers = uploads ? { 'content-length': 100_000 } : {};
    const asked = request(url, { agent: new Agent(), method: uploads ? 'POST' : 'GET', headers });
    const go = () => {
      part(asked, by);
      resolve({ end: 'left', how: `left ${at}` });
    };
    asked.on('error', () => resolve({ end: 'failed', how: 'no answer' }));
    asked.once('response', (response) => {
      if (at === 'in the answer') response.once('data', go).on('error', () => undefined);
      else void read(response).then(resolve);
    });
    if (at !== 'in the answer') void until(isThere).then(go);
    if (uploads) asked.write('x'.repeat(1000));
    else asked.end();
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}

function part(asked: ClientRequest, by: Leaving['by']): void {
  if (by === 'reset') asked.socket?.resetAndDestroy();
  else asked.destroy();
}

/** What came back before the connection ended, and for the rest no answer. */
function pipeline(url: string, count: number): Promise<Line[]> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const statuses = () => [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(([, status = '']) => Number(status));
    const finish = () => {
      socket.destroy();
      const lines = statuses().map((status): Line => ({ end: status < 500 ? 'answered' : 'failed', how: `${status}` }));
      while (lines.length < count) lines.push({ end: 'failed', how: 'no answer' });
      resolve(lines);
    };
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
      // The last answer is whole when its body is.
      if (statuses().length === count && /\r\n\r\n\S/.test(text.slice(text.lastIndexOf('HTTP/1.1 ')))) finish();
    });
    socket.on('error', () => undefined).once('close', finish);
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(count));
  });
}
