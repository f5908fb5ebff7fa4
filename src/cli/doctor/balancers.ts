import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { BalancerConfig } from '../../core/fleet/config.ts';
import type { BalancerProcess } from '../../core/observed/balancer-process.ts';
import { PortError } from '../../engine/ports.ts';
import type { Context } from '../context.ts';
import { type Allowance, type Check, type Section, trouble, warning, well } from './diagnosis.ts';
import { listenChecks } from './ports.ts';

const deadlineMs = 5_000;

/** One section for each process of a balancer: whether it answers, and what its socket allows. */
export async function examineBalancer(
  context: Context,
  balancer: BalancerConfig,
  stateDirectory: string,
  isControlled: boolean,
): Promise<Section[]> {
  const sockets = balancer.kind === 'haproxy' ? balancer.sockets : [balancer.socket];
  const beside =
    balancer.kind === 'haproxy'
      ? [...(await examineConfigFile(balancer.configFile)), ...(await examineByHand(context))]
      : [];
  return await Promise.all(
    sockets.map(async (socket): Promise<Section> => {
      const checks = await examineProcess(context, balancer, socket, stateDirectory, isControlled);
      return { kind: 'balancer', name: `${balancer.name} at ${socket}`, checks: [...checks, ...beside] };
    }),
  );
}

async function examineProcess(
  context: Context,
  balancer: BalancerConfig,
  socket: string,
  stateDirectory: string,
  isControlled: boolean,
): Promise<Check[]> {
  try {
    const found = await context.world.inspectProcess(balancer, socket, AbortSignal.timeout(deadlineMs));
    return describeProcess(found);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    // Whoever moves a service of it starts it: a balancer of Drover's own that does not run yet keeps nothing from working.
    if (balancer.kind === 'embedded' && error.code !== 'protocol') {
      return [
        warning(
          `it does not run: ${error.message}`,
          isControlled
            ? 'the controller that is alive starts it, if it moves a service of this balancer'
            : '`drover apply` starts it',
        ),
        ...listenChecks(context, balancer, stateDirectory),
      ];
    }
    return [trouble(error.message, null)];
  }
}

function describeProcess({ pid, version, level, adminLine }: BalancerProcess): Check[] {
  if (version === null) return [well(`the embedded balancer answers (pid ${pid})`)];
  const who = `HAProxy ${version} answers (pid ${pid})`;
  if (level === 'admin') return [well(`${who}, level admin`)];
  const remedy = `weights can be written at level admin only; in the global section of haproxy.cfg: ${adminLine ?? ''}`;
  return [well(who), trouble(`this socket has level ${level}`, remedy)];
}

/** Nothing of Drover's needs it; the way back by hand does. */
async function examineByHand({ env }: Context): Promise<Check[]> {
  const places = (env.PATH ?? '').split(delimiter).filter((place) => place !== '');
  const found = await Promise.all(
    places.map((place) =>
      access(join(place, 'socat'), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (found.includes(true)) return [];
  const remedy = 'install it: those commands are for the day on which nothing of Drover works';
  return [warning('socat is not here, and the way back by hand that `drover plan` prints needs it', remedy)];
}

const untold =
  'retry-on, option abortonclose, stick tables, use-server and time-outs are unknown, and the socket does not tell them';

async function examineConfigFile(path: string | null): Promise<Check[]> {
  if (path === null) {
    return [
      warning(
        `no haproxy.cfg is named: ${untold}`,
        'name it in drover.yaml: haproxy: { socket: …, config: /etc/haproxy/haproxy.cfg }',
      ),
    ];
  }
  try {
    await access(path, constants.R_OK);
    return [well(`${path} is readable`)];
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return [warning(`${path} cannot be read (${reason}): ${untold}`, 'let the user who runs drover read it')];
  }
}

/** The least that this user needs at a balancer: its sockets, by what they are now, and the file. */
export async function allowancesAt(balancer: BalancerConfig): Promise<Allowance[]> {
  if (balancer.kind === 'embedded') return [];
  const sockets = await Promise.all(
    balancer.sockets.map(
      async (socket): Promise<Allowance> => ({
        what: `${balancer.name}: write weights and states through ${socket}`,
        how: await socketAccess(socket),
      }),
    ),
  );
  const { configFile } = balancer;
  if (configFile === null) return sockets;
  return [
    ...sockets,
    { what: `${balancer.name}: read ${configFile}`, how: 'read only; nothing is ever written into it' },
  ];
}

async function socketAccess(socket: string): Promise<string> {
  const found = await stat(socket).catch(() => null);
  if (found === null)
    return 'level admin; whoever reaches the port may do it, so it belongs on loopback or behind a tunnel';
  const groups = await groupNames();
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  const group = groups.get(found.gid) ?? `group ${found.gid}`;
  const mine = process.getuid?.() === found.uid || process.getuid?.() === 0;
  const member = process.getgroups?.().includes(found.gid) === true;
  const now = mine ? 'this user owns it' : member ? `this user is in ${group}` : `this user is NOT in ${group}`;
  return `level admin, and membership in the group of the file (${group}, mode ${mode}): ${now}`;
}

async function groupNames(): Promise<ReadonlyMap<number, string>> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  return new Map(
    text.split('\n').flatMap((line): [number, string][] => {
      const [name = '', , id = ''] = line.split(':');
      return id === '' ? [] : [[Number(id), name]];
    }),
  );
}
