/**
 * Where the segments of one ledger are kept. What is written survives this process at once, and the machine after a sync. The real
 * ones are files in a folder; the simulator's lose what was not synced when its power is cut.
 */
export interface SegmentFiles {
  /** For sentences about what is in them. */
  readonly where: string;
  /** The oldest first. */
  names(): readonly string[];
  read(name: string): Uint8Array;
  /** Fails where there is one of that name. */
  create(name: string): SegmentFile;
  open(name: string): SegmentFile;
  remove(name: string): void;
}

export interface SegmentFile {
  write(bytes: Uint8Array, at: number): void;
  truncate(length: number): void;
  sync(): Promise<void>;
  syncNow(): void;
  close(): void;
}
