import type { OperationPorts } from '../../engine/operation-ports.ts';

/** Says `appended` at once and writes half a second later, as a store does that does not wait for the disk. */
export function writeBehind(ports: OperationPorts): OperationPorts {
  const never = new AbortController().signal;
  let pending: Promise<unknown> = Promise.resolve();
  const heads = new Map<string, number>();
  return {
    ...ports,
    journal: {
      ...ports.journal,
      append: (expected, entries) => {
        const seq = heads.get(expected.operation);
        if (seq === undefined) {
          heads.set(expected.operation, expected.seq + entries.length);
          return ports.journal.append(expected, entries);
        }
        heads.set(expected.operation, expected.seq + entries.length);
        pending = pending
          .then(() => ports.clock.sleep(500, never))
          .then(() => ports.journal.append(expected, entries))
          .catch(() => undefined);
        return Promise.resolve('appended');
      },
    },
  };
}

/** A sleep from which nobody wakes it. */
export function soundAsleep(ports: OperationPorts): OperationPorts {
  const never = new AbortController().signal;
  return { ...ports, clock: { ...ports.clock, sleep: (ms) => ports.clock.sleep(ms, never) } };
}

/** Takes the time of day for what has passed. */
export function wallClockOnly(ports: OperationPorts): OperationPorts {
  return { ...ports, clock: { ...ports.clock, monotonic: () => ports.clock.now() } };
}
