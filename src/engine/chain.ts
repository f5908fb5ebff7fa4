import { type Draft, hashOf, seal } from '../core/journal/chain.ts';
import type { Sha256 } from '../core/journal/entry.ts';
import { type Entry, type EventBody, emptyHead, type Head } from '../core/journal/entry.ts';
import { within } from './deadline.ts';
import { type JournalStore, PortError } from './ports.ts';

/** A chain as one controller knows it: appends behind its own head, and says so when somebody else was faster. */
export type Chain = {
  head(): Head;
  /** Given up by `signal`, nobody knows whether it was done: `catchUp` tells. */
  append<Body extends EventBody>(
    drafts: readonly Draft<Body>[],
    signal: AbortSignal,
  ): Promise<readonly Entry<Body>[] | 'conflict'>;
  /** Entries that others appended since, or this controller without learning of it. */
  catchUp(signal: AbortSignal): Promise<readonly Entry[]>;
};

export function openChain(journal: JournalStore, operation: string, sha256: Sha256): Chain {
  let head = emptyHead(operation);
  return {
    head: () => head,
    async append(drafts, signal) {
      const sealed = seal(head, drafts, sha256);
      if ((await within(signal, journal.append(head, sealed.entries))) === 'conflict') return 'conflict';
      head = sealed.head;
      return sealed.entries;
    },
    async catchUp(signal) {
      const entries = await within(signal, journal.read(operation, head.seq));
      for (const entry of entries) head = followed(head, entry, sha256);
      return entries;
    },
  };
}

/** The head behind `entry`. Nothing is built on a chain that is not what was written: throws PortError `corrupt`. */
function followed({ operation, seq, hash }: Head, entry: Entry, sha256: Sha256): Head {
  if (entry.seq === seq + 1 && entry.previous === hash && entry.hash === hashOf(entry, sha256)) {
    return { operation, seq: entry.seq, hash: entry.hash };
  }
  const message =
    `${operation}: entry ${entry.seq} of the journal is not what was written behind entry ${seq}; \`drover journal verify\` ` +
    'names what was changed. Nothing goes forward on it; `drover back` takes the traffic back without it';
  throw new PortError('corrupt', message, { retriable: false });
}
