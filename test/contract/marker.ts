import { expect } from 'vitest';
import type { BackMarker } from '../../src/engine/operation-ports.ts';
import { PortError } from '../../src/engine/ports.ts';
import { collectClauses, testClauses } from './clauses.ts';

/** A place without markers, and any number of controllers that look at it. */
export type MarkerHarness = {
  readonly marker: BackMarker;
  connect(): BackMarker;
  /** Leaves what a disk leaves that becomes full while the marker is written: a marker without a word. */
  cut(operation: string): Promise<void>;
  /** From now on the place takes nothing more. */
  spoil(): Promise<void>;
  close(): Promise<void>;
};

/** What every `BackMarker` must do: nothing raises a share while it says that somebody took the way back. */
export function markerContract(name: string, open: () => Promise<MarkerHarness>): void {
  testClauses(`contract of the back marker: ${name}`, markerClauses(), { open, close: (harness) => harness.close() });
}

export function markerClauses() {
  return collectClauses<MarkerHarness>((write) => {
    write('there is none at first, and taking away what is not there is no error', async ({ marker }) => {
      expect(await marker.read('move-query-1')).toBeNull();
      await marker.remove('move-query-1');
      expect(await marker.read('move-query-1')).toBeNull();
    });

    write('once it is written every controller finds it, and who wrote it', async ({ marker, connect }) => {
      await marker.write('move-query-1', 'alice');
      for (const other of [marker, connect(), connect()]) expect(await other.read('move-query-1')).toContain('alice');
    });

    write('it belongs to one operation, also where names begin alike', async ({ marker }) => {
      await marker.write('move-query-1', 'alice');
      await marker.write('move-query-11', 'bob');
      expect(await marker.read('move-query')).toBeNull();
      await marker.remove('move-query-1');
      expect(await marker.read('move-query-1')).toBeNull();
      expect(await marker.read('move-query-11')).toContain('bob');
    });

    write('whoever wrote it first stays, and when; taken away by anybody it is gone', async ({ marker, connect }) => {
      await marker.write('move-query-1', 'alice: users complain');
      const first = await marker.read('move-query-1');
      await connect().write('move-query-1', 'bob');
      expect(await marker.read('move-query-1')).toBe(first);
      await connect().remove('move-query-1');
      expect(await marker.read('move-query-1')).toBeNull();
    });

    write('whoever it names, and however, it is there', async ({ marker }) => {
      for (const who of ['', ' ', 'Zoë "the" user', 'x'.repeat(2000)]) {
        await marker.write('move-query-1', who);
        expect(await marker.read('move-query-1')).not.toBeNull();
        await marker.remove('move-query-1');
      }
    });

    write(
      'one that was cut by a full disk counts: who took the way back is not known, that it was taken is',
      async ({ marker, cut }) => {
        await cut('move-query-1');
        expect(await marker.read('move-query-1')).not.toBeNull();
        const first = await marker.read('move-query-1');
        await marker.write('move-query-1', 'alice');
        expect(await marker.read('move-query-1')).toBe(first);
      },
    );

    write(
      'a place that takes nothing is a PortError that can be tried again, never a marker that is not there',
      async ({ marker, spoil }) => {
        await spoil();
        const failure = await marker.write('move-query-1', 'alice').catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(PortError);
        expect(failure).toMatchObject({ retriable: true });
      },
    );
  });
}
