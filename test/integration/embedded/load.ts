import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';

/** One request on a connection of its own; the status, or 0 when the connection broke before the body was whole. */
export async function carry(
  url: string,
  { method, path, body }: { method: 'GET' | 'POST' | 'HEAD'; path: string; body: string | null },
): Promise<number> {
  const dispatcher = new Agent();
  try {
    const response = await request(`${url}${path}`, { method, body, dispatcher });
    await response.body.bytes();
    return response.statusCode;
  } catch {
    return 0;
  } finally {
    await dispatcher.destroy();
  }
}

export type Seen = { answered: number; failed: number };

/** `concurrency` users with keep-alive connections who ask again as soon as they are answered. */
export function users(url: string, concurrency: number) {
  const agent = new Agent({ connections: concurrency });
  const seen: Seen = { answered: 0, failed: 0 };
  let going = true;
  const user = async (): Promise<void> => {
    while (going) seen[(await isAnswered(agent, url)) ? 'answered' : 'failed'] += 1;
  };
  const all = Promise.all(Array.from({ length: concurrency }, user));
  return {
    /** Resolves after that many further requests. */
    more: async (requests: number): Promise<void> => {
      const until = seen.answered + seen.failed + requests;
      const endsAt = performance.now() + 60_000;
      while (seen.answered + seen.failed < until) {
        if (performance.now() > endsAt) throw new Error('the load stands still');
        await sleep(5);
      }
    },
    end: async (): Promise<Seen> => {
      going = false;
      await all;
      await agent.destroy();
      return seen;
    },
  };
}

async function isAnswered(agent: Agent, url: string): Promise<boolean> {
  try {
    const response = await request(url, { dispatcher: agent });
    await response.body.bytes();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}

/** Servers that are processes of their own, to be killed all at once. */
export async function killableServers(names: readonly string[]) {
  const entry = fileURLToPath(new URL('./upstream-process.ts', import.meta.url));
  const started = names.map((name) => ({
    name,
    child: spawn(process.execPath, [entry, name], { stdio: ['pipe', 'pipe', 'inherit'] }),
  }));
  const servers = await Promise.all(
    started.map(async ({ name, child }) => ({ name, address: `127.0.0.1:${await portOf(child)}` })),
  );
  return {
    servers,
    kill: () => {
      for (const { child } of started) child.kill('SIGKILL');
    },
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no output to read the port from');
  const [line] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
  return Number(String(line).trim());
}
