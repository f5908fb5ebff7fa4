import type { BackMarker } from '../../../src/engine/operation-ports.ts';
import { plantedParts, testPlanted, type Wrong } from '../../contract/clauses.ts';
import { type MarkerHarness, markerClauses, markerContract } from '../../contract/marker.ts';
import { openWorld } from './world.ts';

markerContract('simulated', open);

async function open(): Promise<MarkerHarness> {
  const { durable, controller, fillDisk } = openWorld({});
  return {
    marker: controller().marker,
    connect: () => controller().marker,
    cut: async (operation) => void durable.marker.set(operation, ''),
    spoil: async () => fillDisk(),
    close: async () => undefined,
  };
}

const wrong: readonly Wrong<BackMarker>[] = [
  {
    wrong: 'a marker without a word is taken for none',
    clause: 'one that was cut by a full disk counts: who took the way back is not known, that it was taken is',
    as: (marker) => ({ read: async (operation) => (await marker.read(operation)) || null }),
  },
  {
    wrong: 'a marker that could not be written is taken for written',
    clause: 'a place that takes nothing is a PortError that can be tried again, never a marker that is not there',
    as: (marker) => ({ write: (operation, who) => marker.write(operation, who).catch(() => undefined) }),
  },
  {
    wrong: 'the last one to write it stays',
    clause: 'whoever wrote it first stays, and when; taken away by anybody it is gone',
    as: (marker) => ({
      async write(operation, who) {
        await marker.remove(operation);
        await marker.write(operation, who);
      },
    }),
  },
  {
    wrong: 'it lives in the controller that wrote it',
    clause: 'once it is written every controller finds it, and who wrote it',
    as: () => {
      const own = new Map<string, string>();
      return {
        read: async (operation) => own.get(operation) ?? null,
        write: async (operation, who) => void own.set(operation, who),
      };
    },
  },
];

testPlanted<MarkerHarness>(
  'contract of the back marker',
  markerClauses(),
  { open, close: (harness) => harness.close() },
  plantedParts(wrong, (harness, mistaken) => ({
    ...harness,
    marker: mistaken(harness.marker),
    connect: () => mistaken(harness.connect()),
  })),
);
