/** What is copied, and what was promised of it. */
export type Row = {
  readonly name: string;
  readonly codec: 'none' | 'lz4' | 'zstd';
  /** What a batch has on the source's disk, about. */
  readonly storedKib: number;
  readonly recordBytes: number;
  readonly partitions: number;
  /** Of MirrorMaker 2: more tasks helped it nowhere but there. */
  readonly tasks: number;
  /** So many times fewer CPU-seconds than MirrorMaker 2; null: nothing was promised. */
  readonly goal: number | null;
  /** Measured without being asked for by name or `--all`. */
  readonly isUsual: boolean;
};

const usual = { recordBytes: 1024, partitions: 12, tasks: 1, isUsual: true } as const;

export const rows: readonly Row[] = [
  { ...usual, name: 'none-16', codec: 'none', storedKib: 16, tasks: 2, goal: 2.5 },
  { ...usual, name: 'none-64', codec: 'none', storedKib: 64, goal: null, isUsual: false },
  { ...usual, name: 'none-256', codec: 'none', storedKib: 256, goal: 8 },
  { ...usual, name: 'none-1024', codec: 'none', storedKib: 1000, goal: 8, isUsual: false },
  { ...usual, name: 'lz4-16', codec: 'lz4', storedKib: 16, goal: 6 },
  { ...usual, name: 'lz4-64', codec: 'lz4', storedKib: 64, goal: 8 },
  { ...usual, name: 'lz4-256', codec: 'lz4', storedKib: 256, goal: 8, isUsual: false },
  { ...usual, name: 'lz4-1024', codec: 'lz4', storedKib: 1000, goal: 8, isUsual: false },
  { ...usual, name: 'zstd-16', codec: 'zstd', storedKib: 16, goal: 6 },
  { ...usual, name: 'zstd-64', codec: 'zstd', storedKib: 64, goal: 8 },
  { ...usual, name: 'zstd-256', codec: 'zstd', storedKib: 256, goal: 8, isUsual: false },
  { ...usual, name: 'zstd-1024', codec: 'zstd', storedKib: 1000, goal: 8, isUsual: false },
  { ...usual, name: 'small-none-64', codec: 'none', storedKib: 64, recordBytes: 100, goal: 15, isUsual: false },
  { ...usual, name: 'small-lz4-32', codec: 'lz4', storedKib: 32, recordBytes: 100, goal: 15 },
  { ...usual, name: 'small-zstd-16', codec: 'zstd', storedKib: 16, recordBytes: 100, goal: 15, isUsual: false },
  { ...usual, name: 'one-lz4-16', codec: 'lz4', storedKib: 16, partitions: 1, goal: 3 },
  { ...usual, name: 'one-lz4-256', codec: 'lz4', storedKib: 256, partitions: 1, goal: 3, isUsual: false },
  { ...usual, name: 'many-lz4-64', codec: 'lz4', storedKib: 64, partitions: 64, goal: 8, isUsual: false },
];
