import type { BalancerProcess } from '../../../core/observed/balancer-process.ts';
import { parseInfo } from './replies.ts';
import { askRuntime } from './runtime-socket.ts';
import { socketLine } from './socket-errors.ts';
import { expectLevel, showLevel } from './socket-level.ts';

/** Asks the process behind a runtime socket who it is and what this socket allows. Rejects with PortError, as `read` of a Backend does. */
export async function haproxyProcess(socket: string, signal: AbortSignal): Promise<BalancerProcess> {
  const [info = '', level = ''] = await askRuntime(socket, ['show info', showLevel], signal);
  const { process, version } = parseInfo(socket, info);
  return { pid: Number.parseInt(process, 10), version, level: expectLevel(level), adminLine: socketLine(socket) };
}
