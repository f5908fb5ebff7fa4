import { parseInfo, parseServersState } from './replies.ts';
import { askRuntime } from './runtime-socket.ts';

/** Names of the backends that have servers. Rejects with PortError, as `read` of a Backend does. */
export async function backendNames(socket: string, signal: AbortSignal): Promise<string[]> {
  const [info = '', state = ''] = await askRuntime(socket, ['show info', 'show servers state'], signal);
  parseInfo(socket, info);
  const names = parseServersState('show servers state', state).map((row) => row.text('be_name'));
  // Backends that HAProxy makes for itself have names like <HTTPCLIENT>.
  return [...new Set(names)].filter((name) => !name.startsWith('<'));
}
