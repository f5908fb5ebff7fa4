import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendReading, ServerCounters } from '../../../src/core/observed/backend.ts';
import type { Backend } from '../../../src/engine/ports.ts';

export function deadline(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** A reading in which no stream is open. */
export async function settled(backend: Backend): Promise<BackendReading> {
  const endsAt = performance.now() + 20_000;
  for (;;) {
    const reading = await backend.read(deadline());
    const open = reading.servers.reduce((sum, server) => sum + server.counters.scur, 0);
    if (open === 0) return reading;
    if (performance.now() > endsAt) throw new Error(`${open} streams are still open after 20 s`);
    await sleep(10);
  }
}

export function counters(reading: BackendReading, name: string): ServerCounters {
  const server = reading.servers.find((candidate) => candidate.name === name);
  if (server === undefined) throw new Error(`no server ${name}`);
  return server.counters;
}

/** Attempts that did not end in a whole answer below 500. */
export function failuresOf(reading: BackendReading, name: string): number {
  const { attempts, rsp2xx, rsp3xx, rsp4xx, srvAbrt, scur } = counters(reading, name);
  return attempts - rsp2xx - rsp3xx - rsp4xx + srvAbrt - scur;
}
