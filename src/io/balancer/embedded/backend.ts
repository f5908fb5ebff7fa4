import type { AdminState, BackendReading } from '../../../core/observed/backend.ts';
import { type Backend, PortError } from '../../../engine/ports.ts';
import { ControlConnection } from './connection.ts';
import { parseAttempts, parseReading } from './wire.ts';

/** One backend of the embedded balancer whose control socket is at `socket`. Connects with the first call. */
export function embeddedBackend(socket: string, backend: string): Backend {
  const connection = new ControlConnection(socket);
  return {
    read: async (signal: AbortSignal): Promise<BackendReading> =>
      parsed(parseReading, await connection.call({ op: 'read', backend }, signal)),
    attempts: async (servers: readonly string[], signal: AbortSignal): Promise<Record<string, number>> =>
      parsed(parseAttempts, await connection.call({ op: 'attempts', backend, servers: [...servers] }, signal)),
    setWeights: async (weights: Readonly<Record<string, number>>, signal: AbortSignal): Promise<void> => {
      await connection.call({ op: 'weights', backend, weights }, signal);
    },
    setStates: async (states: Readonly<Record<string, AdminState>>, signal: AbortSignal): Promise<void> => {
      await connection.call({ op: 'states', backend, states }, signal);
    },
  };
}

function parsed<T>(parse: (value: unknown) => T, value: unknown): T {
  try {
    return parse(value);
  } catch (cause) {
    const message =
      'the embedded balancer answered something that this version does not know; restart it with this version';
    throw new PortError('protocol', message, { retriable: false, cause });
  }
}
