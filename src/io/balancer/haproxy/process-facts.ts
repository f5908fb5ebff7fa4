import type { BalancerProcess } from '../../../core/observed/balancer-process.ts';
import { parseInfo } from './replies.ts';
import { askRuntime } from './runtime-socket.ts';
import { protocolError, socketLine } from './socket-errors.ts';

/** Asks the process behind a runtime socket who it is and what this socket allows. Rejects with PortError, as `read` of a Backend does. */
export async function haproxyProcess(socket: string, signal: AbortSignal): Promise<BalancerProcess> {
  const [info = '', level = ''] = await askRuntime(socket, ['show info', 'show cli level'], signal);
  const { process, version } = parseInfo(socket, info);
  return { pid: Number.parseInt(process, 10), version, level: levelOf(level), adminLine: socketLine(socket) };
}

function levelOf(answer: string): BalancerProcess['level'] {
  const word = answer.trim();
  if (word === 'admin' || word === 'operator' || word === 'user') return word;
  throw protocolError('show cli level', 'admin, operator or user', answer);
}
