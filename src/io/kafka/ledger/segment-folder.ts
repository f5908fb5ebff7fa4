import {
  closeSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SegmentFile, SegmentFiles } from './segment-files.ts';

/** The segments of one ledger as files of a folder, which is made where there is none. */
export class SegmentFolder implements SegmentFiles {
  readonly where: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.where = folder;
  }

  names(): string[] {
    return readdirSync(this.where)
      .filter((name) => name.endsWith('.segment'))
      .sort();
  }

  read(name: string): Uint8Array {
    return readFileSync(join(this.where, name));
  }

  create(name: string): SegmentFile {
    const file = new OpenFile(openSync(join(this.where, name), 'wx+'));
    // Without its folder's entry a file is not found again, whatever of it is on the disk.
    const folder = openSync(this.where, 'r');
    fsyncSync(folder);
    closeSync(folder);
    return file;
  }

  open(name: string): SegmentFile {
    return new OpenFile(openSync(join(this.where, name), 'r+'));
  }

  remove(name: string): void {
    rmSync(join(this.where, name));
  }
}

class OpenFile implements SegmentFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** A full disk writes a part: the next attempt begins at the same place. */
  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
  }

  truncate(length: number): void {
    ftruncateSync(this.#fd, length);
  }

  async sync(): Promise<void> {
    await promisify(fsync)(this.#fd);
  }

  syncNow(): void {
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
