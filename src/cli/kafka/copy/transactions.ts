import type { OpenTransaction } from '../../../core/move/cluster-facts.ts';
import { partitionName } from '../../../core/move/operation/plan.ts';
import { type CopyStatus, heldBackBy } from '../../../core/move/operation/status.ts';
import type { Context } from '../../context.ts';
import type { CopySide } from './world.ts';

/** Whoever holds back what is left, once that has lasted: what the source tells of its open transactions. */
export type TransactionWatch = {
  /** After every pass. true: it has lasted for as long as it may. */
  look(status: CopyStatus): boolean;
  close(): Promise<void>;
};

/** A producer that commits within seconds is no news. */
const lastsMs = 10_000;

/** `waitMs` null: for ever. `open` is called when there is something to ask, and not before. */
export function watchTransactions(
  context: Pick<Context, 'clock'>,
  waitMs: number | null,
  open: () => CopySide,
  tell: (line: string) => void,
): TransactionWatch {
  const { clock } = context;
  let sinceMs: number | null = null;
  let asking: Promise<void> | null = null;
  return {
    look(status) {
      const held = heldBackBy(status);
      if (held === null) {
        [sinceMs, asking] = [null, null];
        return false;
      }
      sinceMs ??= clock.monotonic();
      const lastedMs = clock.monotonic() - sinceMs;
      if (lastedMs >= lastsMs)
        asking ??= name(
          open(),
          held.map(({ topic }) => topic),
          tell,
        );
      return waitMs !== null && lastedMs > waitMs;
    },
    async close() {
      await asking;
    },
  };
}

/** A cluster before 3.0 does not tell, and a user may not be allowed to ask: that is said, and nothing else depends on it. */
async function name(source: CopySide, topics: readonly string[], tell: (line: string) => void): Promise<void> {
  try {
    const partitions = await source.partitions([...new Set(topics)]);
    const places = partitions.flatMap(({ topic, partition, leader, bounds }) =>
      leader !== null && bounds.known && bounds.value.lastStable < bounds.value.highWatermark
        ? [{ topic, partition, leader }]
        : [],
    );
    const found = await source.openTransactions(places);
    if (!found.known) return tell(`which transaction is open on the source is not known: ${found.why}`);
    for (const one of found.value) tell(transactionWords(one));
  } catch (error) {
    tell(
      `which transaction is open on the source is not known: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    await source.close();
  }
}

function transactionWords({ topic, partition, producerId, startOffset, details }: OpenTransaction): string {
  const place = `${partitionName({ topic, partition })} of the source: a transaction is open from offset ${startOffset}, by producer ${producerId}`;
  if (!details.known) return `${place} (${details.why})`;
  const { transactionalId, startedMs } = details.value;
  return `${place}, transactional.id ${transactionalId}${startedMs === null ? '' : `, since ${new Date(startedMs).toISOString()}`}`;
}
