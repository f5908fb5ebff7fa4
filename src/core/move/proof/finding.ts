/** What a proof has found out about one partition: closed, and what each weighs. */
export type Finding = {
  readonly kind: FindingKind;
  /** Offsets [from, to); null: that side is not concerned, or nobody knows where. */
  readonly source: OffsetRange | null;
  readonly target: OffsetRange | null;
  /** So many batches, or lines of the ledger, as the kind has it. */
  readonly count: number;
  /** What else there is to say about the first of them; null: nothing. */
  readonly detail: string | null;
};

export type OffsetRange = { readonly from: number; readonly to: number };

/** `wrong`: it is not as the ledger has it. `unprovable`: nothing is known to be wrong. `note`: to be known, and no fault. */
export type Weight = 'wrong' | 'unprovable' | 'note';

export const weights = {
  /** Lines of the ledger for which nothing stands, though the log goes on behind them. */
  missing: 'wrong',
  /** The log ends before what was settled. */
  truncated: 'wrong',
  /** A batch of ours that stands twice. */
  doubled: 'wrong',
  /** Another content in the place of a batch of ours. */
  changed: 'wrong',
  /** The bytes do not fit the batch's own checksum: the disk, or the way here. */
  corrupt: 'wrong',
  /** The target has put its own times in place of the records'. */
  retimed: 'wrong',
  /** A batch of somebody else among ours. */
  foreign: 'wrong',
  /** Ours by its producer id, and no line speaks of it. */
  stray: 'wrong',
  /** A batch of ours at another offset than its line has. */
  misplaced: 'wrong',
  /** Records of a batch that was made anew are others than the source's. */
  'other-records': 'wrong',
  /** Lines that are not there, or do not follow from each other. */
  'ledger-gap': 'wrong',
  /** A segment that is not what the next one says it is, or has an entry that is none. */
  'ledger-changed': 'wrong',
  /** The ledger ends before what the journal says is settled. */
  'ledger-short': 'wrong',
  /** The sum of what is accounted for is not what the ledger or the journal says. */
  account: 'wrong',
  /** The target is another topic by now, or none. */
  'other-topic': 'wrong',
  /** Nothing more is written to it, by the journal. */
  stopped: 'wrong',
  /** The target has deleted it since: retention, or DeleteRecords. */
  deleted: 'unprovable',
  /** The target is compacted: taken out, or written anew without some records. */
  compacted: 'unprovable',
  /** By the ledger: it was never compared with the source, which had deleted it. */
  unproven: 'unprovable',
  /** Made anew, and the source does not have its records any more. */
  'source-gone': 'unprovable',
  /** By the journal it is being written: what is behind was not looked at, or could not be read. */
  unread: 'unprovable',
  /** What stands on the target before the copy begins. */
  before: 'note',
  /** Batches of others behind the last one of a copy that is over. */
  behind: 'note',
  /** Of a later copy of the same topic, or on its way. */
  later: 'note',
  /** On its way when somebody looked, or never sent: the ledger has the line before the batch is sent. */
  unsettled: 'note',
} as const satisfies Record<string, Weight>;

export type FindingKind = keyof typeof weights;

export type Verdict = 'proven' | 'wrong' | 'unprovable';

export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('wrong')) return 'wrong';
  return verdicts.includes('unprovable') ? 'unprovable' : 'proven';
}

export function verdictOf(kinds: Iterable<FindingKind>): Verdict {
  const found = [...kinds].map((kind) => weights[kind]);
  if (found.includes('wrong')) return 'wrong';
  return found.includes('unprovable') ? 'unprovable' : 'proven';
}

/** Findings of one partition: those of a kind that follow each other are one, and of many the first are kept. */
export class Findings {
  readonly counts = new Map<FindingKind, number>();
  readonly #listed: Finding[] = [];
  readonly #last = new Map<FindingKind, number>();

  get listed(): readonly Finding[] {
    return this.#listed;
  }

  get verdict(): Verdict {
    return verdictOf(this.counts.keys());
  }

  add(finding: Omit<Finding, 'count' | 'detail'> & Partial<Pick<Finding, 'count' | 'detail'>>): void {
    const { kind, source, target, count = 1, detail = null } = finding;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
    const index = this.#last.get(kind) ?? -1;
    const last = this.#listed[index];
    if (last !== undefined && follows(last, source, target)) {
      const joined = { source: joinedRange(last.source, source), target: joinedRange(last.target, target) };
      this.#listed[index] = { ...last, ...joined, count: last.count + count };
      return;
    }
    if (this.#listed.length >= listedMax) return;
    this.#last.set(kind, this.#listed.length);
    this.#listed.push({ kind, source, target, count, detail });
  }
}

const listedMax = 1000;

/** Behind it on the target; where that is not known, on the source. */
function follows(last: Finding, source: OffsetRange | null, target: OffsetRange | null): boolean {
  if (last.target !== null && target !== null) return last.target.to === target.from;
  return last.target === null && target === null && source !== null && last.source?.to === source.from;
}

function joinedRange(one: OffsetRange | null, other: OffsetRange | null): OffsetRange | null {
  if (one === null || other === null) return one ?? other;
  return { from: Math.min(one.from, other.from), to: Math.max(one.to, other.to) };
}
