import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fetchAb } from '../scripts/fetch/ab.ts';
import { fetchHaproxy } from '../scripts/fetch/haproxy.ts';
import { startHaproxy } from '../src/cli/demo/haproxy.ts';
import { startEmbedded, stopEmbedded } from '../src/io/balancer/embedded/lifecycle.ts';
import type { Bench } from './frame/bench.ts';
import { closing } from './frame/closing.ts';
import { describeSpread, ratiosOf, spreadOf } from './frame/spread.ts';
import { freePorts } from './traffic/ports.ts';

const ratioMin = 0.25;
const connections = 64;

/** How many requests a second the embedded balancer carries beside HAProxy, in front of the same servers, in turns. */
export const bench: Bench = {
  about:
    'requests per second through the embedded balancer and through HAProxy, in turns, in front of the same servers',
  options: {
    turns: { about: 'measurements of each', otherwise: 7 },
    seconds: { about: 'of one measurement', otherwise: 5 },
  },
  cases: [],
  run: async (asked, say) => {
    const directory = mkdtempSync(join(tmpdir(), 'drover-bench-'));
    const program = await fetchHaproxy();
    const ab = await fetchAb();
    const [first = 0, second = 0, ours = 0, theirs = 0] = await freePorts(4);
    writeFileSync(join(directory, 'haproxy.cfg'), configuration([first, second], theirs));
    const haproxy = await startHaproxy(program, directory);
    const close = closing(async () => {
      await stopEmbedded('bench', directory);
      await haproxy.stop();
      rmSync(directory, { recursive: true, force: true });
    });
    try {
      await startEmbedded(
        {
          name: 'bench',
          socket: join(directory, 'embedded.sock'),
          backends: [{ name: 'web', listen: `127.0.0.1:${ours}`, servers: serversAt([first, second]) }],
        },
        directory,
      );
      const turns: { ours: number; theirs: number }[] = [];
      const rate = (port: number) => requestsPerSecond(ab, port, asked.number('seconds'));
      await rate(ours);
      for (let turn = 0; turn < asked.number('turns'); turn++)
        turns.push({ theirs: await rate(theirs), ours: await rate(ours) });
      const ratio = ratiosOf(turns);
      say(
        `${connections} kept connections, answers of a few bytes from two servers that are HAProxy itself; one thread each`,
      );
      say(`HAProxy:  ${describeSpread(spreadOf(turns.map((turn) => turn.theirs)), 0)} requests/s`);
      say(`embedded: ${describeSpread(spreadOf(turns.map((turn) => turn.ours)), 0)} requests/s`);
      say(`ratio:    ${describeSpread(ratio, 2)}`);
      return [
        {
          promised: `embedded ≥ ${ratioMin} of HAProxy's requests per second`,
          found: ratio.median.toFixed(2),
          met: ratio.median >= ratioMin,
        },
      ];
    } finally {
      await close();
    }
  },
};

async function requestsPerSecond(ab: string, port: number, seconds: number): Promise<number> {
  // -t alone would end at 50,000 requests.
  const args = ['-q', '-k', '-t', `${seconds}`, '-n', '10000000', '-c', `${connections}`, `http://127.0.0.1:${port}/`];
  const { stdout } = await promisify(execFile)(ab, args, { maxBuffer: 1 << 20 });
  const failed =
    Number(/Failed requests: +(\d+)/.exec(stdout)?.[1] ?? 0) +
    Number(/Non-2xx responses: +(\d+)/.exec(stdout)?.[1] ?? 0);
  if (failed > 0) throw new Error(`${failed} requests failed through port ${port}: ${stdout}`);
  return Number(/Requests per second: +([\d.]+)/.exec(stdout)?.[1]);
}

function serversAt(ports: readonly number[]) {
  return ports.map((port, index) => ({ name: `server-${index + 1}`, address: `127.0.0.1:${port}` }));
}

function configuration(servers: readonly number[], entry: number): string {
  return [
    'global',
    '  stats socket unix@haproxy.sock level admin mode 600',
    '  nbthread 1',
    'defaults',
    '  mode http',
    '  balance roundrobin',
    '  timeout connect 2s',
    '  timeout client 60s',
    '  timeout server 10s',
    ...servers.flatMap((port, index) => [
      `frontend server-${index + 1}`,
      `  bind 127.0.0.1:${port}`,
      '  http-request return status 200 content-type text/plain string ok',
    ]),
    'frontend entry',
    `  bind 127.0.0.1:${entry}`,
    '  default_backend web',
    'backend web',
    ...serversAt(servers).map(({ name, address }) => `  server ${name} ${address}`),
    '',
  ].join('\n');
}
