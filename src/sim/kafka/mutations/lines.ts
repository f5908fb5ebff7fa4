import type { LedgerLine, SentLine } from '../../../core/move/ledger-lines.ts';
import { endOf } from '../../../core/move/ledger-lines.ts';
import type { Ledger } from '../../../io/kafka/mover/ports.ts';
import { ledgerWith } from './ports.ts';

/** A line is written when the next one comes, or when somebody asks for it: after the send. */
export function lineLater(ledger: Ledger): Ledger {
  let pending: { readonly line: LedgerLine; readonly isProven: boolean } | null = null;
  const flush = (): void => {
    const last = pending;
    pending = null;
    if (last !== null) ledger.append(last.line, last.isProven);
  };
  const later = ledgerWith(ledger, {
    append: (line, isProven = true) => {
      flush();
      pending = { line, isProven };
    },
    noteSourceEpoch: (epoch) => {
      flush();
      ledger.noteSourceEpoch(epoch);
    },
    voidFrom: (at) => {
      flush();
      ledger.voidFrom(at);
    },
    restore: (found) => {
      flush();
      return ledger.restore(found);
    },
    sentFrom: (target) => {
      flush();
      return ledger.sentFrom(target);
    },
    sync: () => {
      flush();
      return ledger.sync();
    },
  });
  return Object.defineProperty(later, 'end', {
    get: () => (pending?.line.kind === 'sent' ? endOf(pending.line) : ledger.end),
  });
}

export function otherChecksums({ lines, isAll }: { readonly lines: readonly SentLine[]; readonly isAll: boolean }) {
  return { lines: lines.map((line) => ({ ...line, checksum: (line.checksum ^ 1) >>> 0 })), isAll };
}
