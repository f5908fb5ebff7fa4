import type { SegmentFile, SegmentFiles } from '../../io/kafka/ledger/segment-files.ts';
import type { Random } from '../random.ts';
import type { SimProcess } from './process.ts';

type Content = { bytes: Uint8Array; synced: Uint8Array | null };

/** The segments of one ledger on the disk of the mover's machine. They outlive the processes that write them. */
export class LedgerDisk {
  readonly #contents = new Map<string, Content>();

  /** As one process sees it. `write`: decides about each write, and may kill the process before it or after it. */
  files(process: SimProcess, write: (perform: () => void) => void): SegmentFiles {
    const contents = this.#contents;
    const fileOf = (content: Content): SegmentFile => ({
      write: (bytes, at) => write(() => writeAt(content, bytes, at)),
      truncate: (length) => write(() => cut(content, length)),
      sync: () =>
        new Promise((resolve) => {
          const { bytes } = content;
          process.after(3, () => {
            // What was written later may have been synced meanwhile.
            if ((content.synced?.length ?? -1) < bytes.length) content.synced = bytes;
            resolve();
          });
        }),
      syncNow: () => {
        if (!process.isDead) content.synced = content.bytes;
      },
      close: () => undefined,
    });
    return {
      where: 'ledger',
      names: () => [...contents.keys()].sort(),
      read: (name) => contentOf(contents, name).bytes,
      open: (name) => fileOf(contentOf(contents, name)),
      create: (name) => {
        if (contents.has(name)) throw new Error(`${name} is there already`);
        const content: Content = { bytes: new Uint8Array(0), synced: null };
        if (!process.isDead) contents.set(name, content);
        return fileOf(content);
      },
      remove: (name) => contents.delete(name),
    };
  }

  /** What was synced is there, and perhaps some of what came after it. */
  cutPower(random: Random): void {
    for (const [name, content] of this.#contents) {
      const { bytes, synced } = content;
      const least = synced?.length ?? 0;
      const length = random.integer(Math.min(least, bytes.length), bytes.length);
      if (synced === null && length === 0) this.#contents.delete(name);
      else content.bytes = bytes.slice(0, length);
      content.synced = content.bytes;
    }
  }
}

function contentOf(contents: ReadonlyMap<string, Content>, name: string): Content {
  const content = contents.get(name);
  if (content === undefined) throw new Error(`there is no ${name}`);
  return content;
}

function writeAt(content: Content, bytes: Uint8Array, at: number): void {
  const whole = new Uint8Array(Math.max(content.bytes.length, at + bytes.length));
  whole.set(content.bytes);
  whole.set(bytes, at);
  content.bytes = whole;
}

function cut(content: Content, length: number): void {
  content.bytes = content.bytes.slice(0, length);
}
