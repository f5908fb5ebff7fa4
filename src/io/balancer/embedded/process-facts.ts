import type { BalancerProcess } from '../../../core/observed/balancer-process.ts';
import { ControlConnection } from './connection.ts';
import { parseHello } from './wire.ts';

/** Asks the embedded balancer behind a control socket who it is. Rejects with PortError. */
export async function embeddedProcess(socket: string, signal: AbortSignal): Promise<BalancerProcess> {
  const connection = new ControlConnection(socket);
  try {
    const { pid } = parseHello(await connection.call({ op: 'hello' }, signal));
    return { pid, version: null, level: 'admin', adminLine: null };
  } finally {
    connection.close();
  }
}
