import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** One request as its user saw it. Times are this process's `Date.now()`; `server` is null where none answered. */
export type Line = {
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  readonly server: string | null;
  /** Which of the URLs. */
  readonly via: number;
  readonly failed: boolean;
};

export type Load = {
  /** Every request that has ended, in the order of their ends. */
  readonly ledger: readonly Line[];
  /** Resolves when `count` further requests have ended. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
};

const tickMs = 20;

/** `rps` requests a second, whether or not the earlier ones were answered, spread over `urls` in turn. */
export function startLoad(urls: readonly string[], rps = 200): Load {
  const agent = new Agent({ connections: 32, keepAliveTimeout: 5000 });
  const ledger: Line[] = [];
  const under = new Set<Promise<void>>();
  const startedAt = performance.now();
  let sent = 0;
  const send = () => {
    const via = sent % urls.length;
    sent++;
    const one = ask(agent, urls[via] ?? '', via).then((line) => {
      ledger.push(line);
      under.delete(one);
    });
    under.add(one);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * rps) / 1000);
    // A machine that stood still is not made up for: that would be a burst.
    sent = Math.max(sent, due - rps);
    while (sent < due) send();
  }, tickMs);
  return {
    ledger,
    async more(count) {
      const until = ledger.length + count;
      const endsAt = performance.now() + 60_000;
      while (ledger.length < until) {
        if (performance.now() > endsAt) throw new Error('the load stands still');
        await sleep(10);
      }
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      await agent.destroy();
    },
  };
}

/** What users saw of the servers whose names begin with `prefix`. */
export function seenOf(lines: readonly Line[], prefix: string): { readonly answered: number; readonly failed: number } {
  const own = lines.filter(({ server }) => server?.startsWith(prefix) === true);
  const failed = own.filter((line) => line.failed).length;
  return { answered: own.length - failed, failed };
}

async function ask(agent: Agent, url: string, via: number): Promise<Line> {
  const sentAtMs = Date.now();
  try {
    const { body, headers, statusCode } = await request(url, { dispatcher: agent });
    await body.dump();
    const server = typeof headers['x-server'] === 'string' ? headers['x-server'] : null;
    return { sentAtMs, endedAtMs: Date.now(), server, via, failed: statusCode >= 500 };
  } catch {
    return { sentAtMs, endedAtMs: Date.now(), server: null, via, failed: true };
  }
}
