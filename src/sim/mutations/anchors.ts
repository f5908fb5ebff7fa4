import { fleetOperation } from '../../core/journal/fleet.ts';
import type { OperationPorts } from '../../engine/operation-ports.ts';

/** Says that it has anchored an operation, and leaves that to others. */
export function withoutAnchors(ports: OperationPorts): OperationPorts {
  const { journal } = ports;
  return {
    ...ports,
    journal: {
      ...journal,
      append: (expected, entries) =>
        expected.operation === fleetOperation ? Promise.resolve('appended') : journal.append(expected, entries),
    },
  };
}

/** Does not look whether somebody has anchored it before. */
export function blindToAnchors(ports: OperationPorts): OperationPorts {
  const { journal } = ports;
  return {
    ...ports,
    journal: {
      ...journal,
      read: async (operation, afterSeq) => {
        const entries = await journal.read(operation, afterSeq);
        if (operation !== fleetOperation) return entries;
        return entries.map((entry) => ({ ...entry, body: { kind: 'read past' } }));
      },
    },
  };
}
