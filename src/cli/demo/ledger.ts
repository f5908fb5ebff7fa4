/** One request of the demo's users, as the load generator wrote it down when it had ended. */
export type LedgerRow = {
  readonly begunAtMs: number;
  readonly endedAtMs: number;
  readonly kind: 'event' | 'page';
  /** HTTP status; 0: there was no answer. */
  readonly status: number;
  /** The instance of the service that moves which answered; '' where none did. */
  readonly instance: string;
  /** `planted`: failed on purpose. Otherwise what went wrong, or ''. */
  readonly note: string;
  /** Of an event; '' for a page. */
  readonly id: string;
};

/** Throws on a line that is none: a ledger with a hole proves nothing. A last line without its end is being written. */
export function parseLedger(text: string): LedgerRow[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, at) => {
    const row: unknown = JSON.parse(line);
    if (!Array.isArray(row) || row.length !== 7) throw new Error(`line ${at + 1} of the ledger is no request: ${line}`);
    const [begunAtMs, endedAtMs, kind, status, instance, note, id] = row.map(String);
    return {
      begunAtMs: Number(begunAtMs),
      endedAtMs: Number(endedAtMs),
      kind: kind === 'event' ? 'event' : 'page',
      status: Number(status),
      instance: instance ?? '',
      note: note ?? '',
      id: id ?? '',
    };
  });
}

export function isFailure(row: LedgerRow): boolean {
  return row.status === 0 || row.status >= 400;
}

/** Failures that nobody planted: what moving did to users, if it did anything. */
export function isUnplanned(row: LedgerRow): boolean {
  return isFailure(row) && row.note !== 'planted';
}

/** How long after `atMs` the last request began that still reached an instance whose name starts with `prefix`; null: none did. */
export function lastReachedMs(
  rows: readonly LedgerRow[],
  prefix: string,
  atMs: number,
  untilMs: number,
): number | null {
  const late = rows.filter(
    (row) => row.instance.startsWith(prefix) && row.begunAtMs >= atMs && row.begunAtMs < untilMs,
  );
  return late.reduce<number | null>((last, { begunAtMs }) => Math.max(last ?? 0, begunAtMs - atMs), null);
}

export type EventBalance = {
  readonly acknowledged: number;
  readonly counted: number;
  /** Acknowledged, and not in any log: lost. */
  readonly lost: number;
  /** In the logs more than once. */
  readonly twice: number;
  /** In a log though its user was told of a failure, or nothing. */
  readonly unacknowledged: number;
  /** In a log, and sent by nobody. */
  readonly unknown: number;
};

/** The users' ledger against the collectors' logs, event by event. `logged` has one id per stored event. */
export function balanceEvents(rows: readonly LedgerRow[], logged: readonly string[]): EventBalance {
  const stored = new Set(logged);
  const sent = new Set(rows.map((row) => row.id));
  const acknowledged = new Set(rows.filter((row) => row.kind === 'event' && row.status === 201).map((row) => row.id));
  return {
    acknowledged: acknowledged.size,
    counted: logged.length,
    lost: [...acknowledged].filter((id) => !stored.has(id)).length,
    twice: logged.length - stored.size,
    unacknowledged: [...stored].filter((id) => !acknowledged.has(id)).length,
    unknown: [...stored].filter((id) => !sent.has(id)).length,
  };
}
