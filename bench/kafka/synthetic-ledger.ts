import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SentLine } from '../../src/core/move/ledger-lines.ts';
import { PartitionLedger } from '../../src/io/kafka/ledger/partition-ledger.ts';
import type { SegmentFile, SegmentFiles } from '../../src/io/kafka/ledger/segment-files.ts';
import { SegmentFolder } from '../../src/io/kafka/ledger/segment-folder.ts';
import type { Random } from '../../src/sim/random.ts';

/**
 * The ledger of a partition of which so many batches, of `records` each, were copied: written by the product's own, but into memory first, as
 * nothing here has to survive anything. `last`: what really stands on the target behind them.
 */
export function writeLedger(
  folder: string,
  key: PartitionLedger['key'],
  batches: number,
  records: number,
  random: Random,
  last: readonly SentLine[] = [],
): number {
  const files = new BufferedFolder(folder);
  const ledger = new PartitionLedger(files, key, { source: 0, target: 0 });
  ledger.raiseEpoch(1);
  ledger.noteSourceEpoch(0);
  for (let batch = 0; batch < batches; batch++) {
    const from = batch * records;
    const checksum = random.integer(0, 2 ** 32 - 1);
    ledger.append({ kind: 'sent', from, to: from + records, target: from, count: records, checksum, kept: null });
  }
  for (const line of last) ledger.append(line);
  ledger.close();
  return files.bytes;
}

/** Segments that are in memory until they are closed. */
class BufferedFolder implements SegmentFiles {
  readonly #folder: SegmentFolder;
  #open: { readonly name: string; readonly file: BufferedFile } | null = null;
  bytes = 0;

  constructor(folder: string) {
    this.#folder = new SegmentFolder(folder);
  }

  get where(): string {
    return this.#folder.where;
  }

  names(): readonly string[] {
    return this.#folder.names();
  }

  read(name: string): Uint8Array {
    return this.#open?.name === name ? this.#open.file.written() : this.#folder.read(name);
  }

  create(name: string): SegmentFile {
    const file = new BufferedFile((bytes) => {
      writeFileSync(join(this.where, name), bytes);
      this.bytes += bytes.length;
    });
    this.#open = { name, file };
    return file;
  }

  open(name: string): SegmentFile {
    throw new Error(`${name} of ${this.where} is there already`);
  }

  remove(name: string): void {
    this.#folder.remove(name);
  }
}

class BufferedFile implements SegmentFile {
  readonly #bytes = Buffer.alloc(1024 * 1024);
  readonly #keep: (bytes: Uint8Array) => void;
  #length = 0;

  constructor(keep: (bytes: Uint8Array) => void) {
    this.#keep = keep;
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  write(bytes: Uint8Array, at: number): void {
    this.#bytes.set(bytes, at);
    this.#length = Math.max(this.#length, at + bytes.length);
  }

  truncate(length: number): void {
    this.#length = length;
  }

  async sync(): Promise<void> {}

  syncNow(): void {}

  close(): void {
    this.#keep(this.written());
  }
}
