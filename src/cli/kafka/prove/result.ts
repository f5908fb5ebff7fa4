import type { Account } from '../../../core/move/account.ts';
import type { Finding, FindingKind, OffsetRange, Verdict, Weight } from '../../../core/move/proof/finding.ts';
import type { Parity } from '../../../core/move/proof/parity.ts';

/** What was found out about one copy, for a person and for a machine. JSON values only. */
export type Proof = {
  readonly verdict: Verdict;
  /** Of the records alone, and of settings alone. */
  readonly data: Verdict;
  readonly configuration: Verdict;
  readonly operation: string;
  readonly stage: string;
  readonly by: string;
  readonly startedAtMs: number;
  readonly provedBy: string;
  readonly provedAtMs: number;
  readonly elapsedMs: number;
  /** Read from both clusters. */
  readonly bytes: number;
  readonly source: ProofCluster;
  readonly target: ProofCluster;
  /** The last entry of the copy's chain when the proof began. */
  readonly chain: { readonly seq: number; readonly hash: string };
  readonly journal: JournalFacts;
  readonly topics: readonly ProofTopic[];
};

export type ProofCluster = {
  readonly clusterId: string;
  readonly bootstrap: string;
  /** Why it could not be asked; null: it was. */
  readonly trouble: string | null;
};

/** What the journal tells beside figures. */
export type JournalFacts = {
  readonly controllers: number;
  readonly moverFailures: number;
  readonly holds: readonly { readonly atMs: number; readonly by: string; readonly why: string }[];
  readonly lost: readonly PlacedRange[];
  readonly unproven: readonly PlacedRange[];
  readonly stopped: readonly { readonly topic: string; readonly partition: number; readonly why: string }[];
  readonly leversLeft: readonly string[];
};
export type PlacedRange = OffsetRange & { readonly topic: string; readonly partition: number };

export type ProofTopic = {
  readonly topic: string;
  readonly verdict: Verdict;
  readonly sourceId: string;
  /** Null: it was never made. */
  readonly targetId: string | null;
  readonly configuration: Parity;
  readonly partitions: readonly ProofPartition[];
};

export type ProofPartition = {
  readonly partition: number;
  readonly verdict: Verdict;
  /** By the lines of the ledger, from where the copy begins. */
  readonly account: Account;
  /** Offsets of the source below that: `gone` when the copy began, and those that `--from` has skipped. */
  readonly before: { readonly gone: number; readonly skipped: number };
  readonly end: number | null;
  /** Where it lies on the target, and what the target's log is. */
  readonly target: OffsetRange & { readonly logStart: number; readonly logEnd: number };
  readonly batches: BatchFigures;
  /** Records of batches that stand as the ledger has them. */
  readonly records: number;
  /** Read from the target. */
  readonly bytes: number;
  readonly ledger: LedgerFigures | null;
  readonly counts: Readonly<Partial<Record<FindingKind, number>>>;
  readonly findings: readonly (Finding & { readonly weight: Weight })[];
};

export type BatchFigures = {
  readonly lines: number;
  /** Those of them that stand where and as the ledger has them, by the checksum of their bytes. */
  readonly proven: number;
  /** Those of them that were made anew; and of these those of which every record was compared with the source. */
  readonly madeAnew: number;
  readonly compared: number;
};

export type LedgerFigures = {
  readonly segments: number;
  readonly bytes: number;
  readonly lastSegment: string;
  readonly lastHash: string;
};
