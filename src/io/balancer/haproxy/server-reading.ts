import type { AdminState, Health, ServerCounters, ServerReading } from '../../../core/observed/backend.ts';
import { known } from '../../../core/observed/reading.ts';
import type { BackendConfiguration } from './configuration-file.ts';
import type { Row } from './replies.ts';
import { protocolError } from './socket-errors.ts';

/** One server from its row of `show servers state`, its row of `show stat` and, where there is one, its line in haproxy.cfg. */
export function serverReading(state: Row, stat: Row, mode: string, file: BackendConfiguration | null): ServerReading {
  const adminFlags = state.flags('srv_admin_state');
  const name = stat.text('svname');
  return {
    name,
    address: addressOf(state),
    weight: weightOf(state, 'srv_uweight'),
    configuredWeight: weightOf(state, 'srv_iweight'),
    admin: adminOf(adminFlags),
    configuredAdmin: known((adminFlags & flag.configuredMaint) !== 0 ? 'maint' : 'ready'),
    health: healthOf(state, stat, adminFlags),
    counters: countersOf(stat, mode),
    features: featuresOf(name, state, stat, file),
  };
}

/** HAProxy's SRV_ADMF_*. `configuredMaint` stays when the server is made ready: it is what `disabled` in haproxy.cfg says. */
const flag = {
  forcedMaint: 0x01,
  inheritedMaint: 0x02,
  configuredMaint: 0x04,
  forcedDrain: 0x08,
  inheritedDrain: 0x10,
  unresolved: 0x20,
  unresolvable: 0x40,
} as const;

/** A server whose host name does not resolve is down, not in maintenance: nobody put it there, and `ready` would not end it. */
function adminOf(flags: number): AdminState {
  if ((flags & (flag.forcedMaint | flag.inheritedMaint)) !== 0) return 'maint';
  return (flags & (flag.forcedDrain | flag.inheritedDrain)) !== 0 ? 'drain' : 'ready';
}

/** Bits of `srv_check_state` and `srv_agent_state`. */
const check = { configured: 0x02, enabled: 0x04, paused: 0x08 } as const;

/**
 * In maintenance HAProxy checks nothing, so it says nothing. A server that tracks another has that one's health. Before
 * the first check has ended (`INI`) HAProxy takes a server for healthy; nobody knows yet. One that is down gets nothing,
 * whoever said so, also while its check is switched off.
 */
function healthOf(state: Row, stat: Row, adminFlags: number): Health {
  if ((adminFlags & (flag.unresolved | flag.unresolvable)) !== 0) return 'down';
  if (adminOf(adminFlags) === 'maint') return 'unchecked';
  const operational = state.number('srv_op_state');
  if (isDown(operational)) return 'down';
  const active = [state.flags('srv_check_state'), state.flags('srv_agent_state')].some(
    (bits) => (bits & check.configured) !== 0 && (bits & check.enabled) !== 0 && (bits & check.paused) === 0,
  );
  if (!active && stat.text('tracked') === '') return 'unchecked';
  if (/^(\* )?INI$/.test(stat.text('check_status'))) return 'starting';
  switch (operational) {
    case 1:
      return 'starting';
    case 2:
      return 'up';
    default:
      throw protocolError('show servers state', 'srv_op_state 0 to 3', String(operational));
  }
}

/** 3 is stopping: its check asks for no new clients. */
function isDown(operational: number): boolean {
  return operational === 0 || operational === 3;
}

/**
 * In TCP mode HAProxy has no responses to count, and these columns are empty: every attempt then looks failed, which is
 * why `traits.mode` has to be looked at before failures are. In HTTP mode an empty one is an error, never a zero.
 */
function countersOf(stat: Row, mode: string): ServerCounters {
  const responses = (column: string) => (mode === 'tcp' && stat.text(column) === '' ? 0 : stat.number(column));
  return {
    attempts: attemptsIn(stat),
    rsp1xx: responses('hrsp_1xx'),
    rsp2xx: responses('hrsp_2xx'),
    rsp3xx: responses('hrsp_3xx'),
    rsp4xx: responses('hrsp_4xx'),
    rsp5xx: responses('hrsp_5xx'),
    srvAbrt: stat.number('srv_abrt'),
    econ: stat.number('econ'),
    eresp: stat.number('eresp'),
    wretr: stat.number('wretr'),
    wredis: stat.number('wredis'),
    scur: stat.number('scur'),
  };
}

function weightOf(state: Row, column: string): number {
  const weight = state.number(column);
  if (weight > 256) throw protocolError('show servers state', `${column} 0 to 256`, String(weight));
  return weight;
}

/**
 * Connections that were made or tried for a request, and those that were there already. `lbtot` is how often the algorithm
 * chose the server: what waited in a queue because of `maxconn` is not in it, nor what was tried again at the same server.
 * `stot` lacks the connections that fail at once.
 */
export function attemptsIn(stat: Row): number {
  return stat.number('connect') + stat.number('reuse');
}

/** The socket of level `user` shows no `addr` in `show stat`, but `show servers state` does. UNIX sockets have none. */
function addressOf(state: Row): string | null {
  const address = state.text('srv_addr');
  if (address === '-') return null;
  return `${address.includes(':') ? `[${address}]` : address}:${state.number('srv_port')}`;
}

function featuresOf(name: string, state: Row, stat: Row, file: BackendConfiguration | null): string[] {
  const configured = file?.servers.get(name)?.features ?? [];
  const shown = [
    stat.number('bck') > 0 ? 'backup' : null,
    stat.text('tracked') === '' ? null : 'track',
    (state.flags('srv_agent_state') & check.configured) === 0 ? null : 'agent-check',
    stat.text('cookie') === '' ? null : 'cookie',
    file === null || file.servers.has(name) ? null : 'not-in-configuration',
  ];
  return [...new Set([...configured, ...shown.filter((feature) => feature !== null)])].sort();
}
