import { createHash } from 'node:crypto';
import { type Account, emptyAccount, withAccounted } from '../../../core/move/account.ts';
import { endOf, type LedgerLine, type Position, type SentLine } from '../../../core/move/ledger-lines.ts';
import { GrowingBytes } from '../bytes/growing-bytes.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import {
  decodeSegment,
  encodeEntry,
  encodeHead,
  type LedgerKey,
  linesOf,
  type Segment,
  type SegmentEntry,
  type Torn,
} from './segment.ts';
import type { SegmentFile, SegmentFiles } from './segment-files.ts';

/**
 * The ledger of one partition, in segments of its own. A line is in the file, though not yet on the disk, when `append` returns: it
 * survives this process. `sync` makes it survive the machine.
 */
export class PartitionLedger {
  readonly key: LedgerKey;
  /** What the last segment had at its end that is no entry; it was cut off. null: nothing. */
  readonly torn: Torn | null;
  readonly #files: SegmentFiles;
  #file: SegmentFile;
  #head: Segment['head'];
  #size: number;
  #register: number;
  #end: Position;
  #epoch: number;
  #sourceEpoch: number | null;
  #account: Account;
  /** The last batches that are not void: what is asked for after any doubt. */
  #recent: SentLine[] = [];
  #recentIsAll = true;
  #isDirty = false;
  readonly #sink = new GrowingBytes(64);
  readonly #segmentBytesMax: number;

  /** Opens what is there, or begins at `begin`. Throws MalformedBytes for a segment that is not one, and whatever the disk says. */
  constructor(files: SegmentFiles, key: LedgerKey, begin: Position, segmentBytesMax = 512 * 1024) {
    this.key = key;
    this.#files = files;
    this.#segmentBytesMax = segmentBytesMax;
    const last = lastSegment(files);
    if (last === null) {
      const account = emptyAccount(begin.source);
      this.#head = { version: 1, key, ordinal: 1, at: begin, account, epoch: 0, sourceEpoch: null, previous: null };
      this.#sourceEpoch = null;
      [this.#end, this.#epoch, this.#account, this.torn] = [begin, 0, account, null];
      [this.#file, this.#size, this.#register] = this.#create();
      return;
    }
    const { name, segment } = last;
    requireKey(`${files.where}/${name}`, segment.head.key, key);
    const { lines, epoch, sourceEpoch } = linesOf(segment);
    this.#sourceEpoch = sourceEpoch;
    [this.#head, this.#end, this.#epoch] = [segment.head, segment.end, epoch];
    this.#account = lines.reduce(withAccounted, segment.head.account);
    this.#recent = lines.filter((line) => line.kind === 'sent').slice(-recentMax);
    this.#recentIsAll = segment.head.account.copied === 0 && this.#recent.length < recentMax;
    [this.#size, this.#register, this.torn] = [segment.goodBytes, segment.register, segment.torn];
    this.#file = files.open(name);
    if (segment.torn !== null) this.#file.truncate(segment.goodBytes);
  }

  /** Behind the last line. */
  get end(): Position {
    return this.#end;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The leader epoch of the source's batch that the last line is of; null: not known. */
  get sourceEpoch(): number | null {
    return this.#sourceEpoch;
  }

  /** Of everything since the copy began. */
  get account(): Account {
    return this.#account;
  }

  /** The last segment, and the SHA-256 of the one before, which names all before that. */
  get segment(): { readonly ordinal: number; readonly previous: string | null } {
    return { ordinal: this.#head.ordinal, previous: this.#head.previous };
  }

  /** `isProven`: false for a batch that stands on the target and could not be compared with the source. */
  append(line: LedgerLine, isProven = true): void {
    if (this.#size >= this.#segmentBytesMax) this.#roll(this.#end, this.#account);
    if (!isProven) this.#write({ kind: 'unproven' });
    this.#write(line);
    if (line.kind === 'sent' && this.#recent.push(line) > recentMax) {
      this.#recent.shift();
      this.#recentIsAll = false;
    }
    this.#end = line.kind === 'sent' ? endOf(line) : { ...this.#end, source: line.to };
    this.#account = withAccounted(this.#account, line);
  }

  /** Writes down an epoch before anything is sent with it. On the disk at once: nobody may ever write in it again. */
  raiseEpoch(epoch: number): void {
    this.#write({ kind: 'epoch', epoch });
    this.#file.syncNow();
    this.#epoch = epoch;
  }

  /** Of the lines that follow. */
  noteSourceEpoch(epoch: number | null): void {
    if (epoch === this.#sourceEpoch) return;
    this.#write({ kind: 'source-epoch', epoch });
    this.#sourceEpoch = epoch;
  }

  /** What was written from `at` on is void: the target does not have it. `at` is the end of a line, or where all begins. */
  voidFrom(at: Position): void {
    if (at.source === this.#end.source && at.target === this.#end.target) return;
    const stand = this.#standAt(at);
    if (stand === null) throw new RangeError(`no line of the ledger in ${this.#files.where} ends at ${at.source}`);
    const { account, sourceEpoch } = stand;
    this.#sourceEpoch = sourceEpoch;
    if (at.source >= this.#head.at.source) this.#write({ kind: 'void-from', at });
    else this.#roll(at, account);
    [this.#end, this.#account] = [at, account];
    this.#recent = this.#recent.filter(({ to }) => to <= at.source);
  }

  /**
   * A batch stands on the target whose line is void: its request was on the way when it was given up. The line that said so becomes the
   * last one, in place of what was written for that offset since. false: there is no such line, or it does not follow any more.
   */
  restore(found: { readonly base: number; readonly count: number; readonly checksum: number }): boolean {
    const former = this.#formerly(found);
    if (former === null) return false;
    const { line, isProven } = former;
    const at = { source: line.from, target: line.target };
    if (this.#standAt(at) === null) return false;
    this.voidFrom(at);
    this.append(line, isProven);
    return true;
  }

  /** All lines whose batches were not compared with the source, in order: read from the disk. */
  unproven(): SentLine[] {
    let lines: SentLine[] = [];
    for (const name of this.#files.names()) {
      const segment = this.#read(name);
      lines = [...lines.filter(({ to }) => to <= segment.head.at.source), ...linesOf(segment).unproven];
    }
    return lines;
  }

  /** The last `count` batches, fewer where there are not as many: those that may have been in flight when this was written last. */
  lastSent(count: number): readonly SentLine[] {
    if (this.#recent.length >= count || this.#recentIsAll) return this.#recent.slice(-count);
    return this.sentFrom(0).lines.slice(-count);
  }

  /** The batches that stand, or may stand, at or behind `target`, from the one that holds it. `isAll`: there are none before. */
  sentFrom(target: number): { readonly lines: SentLine[]; readonly isAll: boolean } {
    if ((this.#recent[0]?.target ?? Number.POSITIVE_INFINITY) <= target || this.#recentIsAll) {
      const first = this.#recent.findIndex((line) => line.target + line.count > target);
      const from = first === -1 ? this.#recent.length : first;
      return { lines: this.#recent.slice(from), isAll: this.#recentIsAll && from === 0 };
    }
    let lines: SentLine[] = [];
    // A segment makes void what those before it have from its head on, even where it has no line itself.
    let begin = Number.POSITIVE_INFINITY;
    const names = this.#files.names();
    for (const [index, name] of [...names.entries()].reverse()) {
      const segment = this.#read(name);
      const before = linesOf(segment).lines.filter((line) => line.kind === 'sent');
      lines = [...before.filter(({ to }) => to <= begin), ...lines];
      begin = Math.min(begin, segment.head.at.source);
      const first = lines.findIndex((line) => line.target + line.count > target);
      const isEnough = (lines[0]?.target ?? Number.POSITIVE_INFINITY) <= target;
      const isAll = index === 0 || segment.head.account.copied === 0;
      if (!isAll && !isEnough) continue;
      const from = first === -1 ? lines.length : first;
      return { lines: lines.slice(from), isAll: isAll && from === 0 };
    }
    return { lines: [], isAll: true };
  }

  /** Everything written so far is on the disk when this is done. */
  async sync(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    await this.#file.sync();
  }

  close(): void {
    if (this.#isDirty) this.#file.syncNow();
    this.#file.close();
  }

  /** What was true behind the line that ends there; null: none does. */
  #standAt(at: Position): { readonly account: Account; readonly sourceEpoch: number | null } | null {
    for (const name of [...this.#files.names()].reverse()) {
      const segment = this.#read(name);
      if (segment.head.at.source > at.source) continue;
      const { lines, sourceEpoch } = linesOf(segment, at.source);
      const account = lines.reduce(withAccounted, segment.head.account);
      const last = lines.findLast((line) => line.kind === 'sent');
      const target = last === undefined ? segment.head.at.target : endOf(last).target;
      const isThere = account.to === at.source && target === at.target;
      return isThere ? { account, sourceEpoch } : null;
    }
    return null;
  }

  /** The newest line, void or not, that spoke of such a batch. In the last segments: it was in flight not long ago. */
  #formerly({ base, count, checksum }: { base: number; count: number; checksum: number }) {
    for (const name of this.#files.names().slice(-3).reverse()) {
      const { entries } = this.#read(name);
      const index = entries.findLastIndex(
        (one) => one.kind === 'sent' && one.target === base && one.count === count && one.checksum === checksum,
      );
      const line = entries[index];
      if (line?.kind === 'sent') return { line, isProven: entries[index - 1]?.kind !== 'unproven' };
    }
    return null;
  }

  #read(name: string): Segment {
    return decodedAt(this.#files, name, this.#files.read(name));
  }

  #write(entry: SegmentEntry): void {
    const sink = this.#sink;
    sink.length = 0;
    const register = encodeEntry(sink, entry, this.#end, this.#register);
    this.#file.write(sink.written(), this.#size);
    this.#register = register;
    this.#size += sink.length;
    this.#isDirty = true;
  }

  /** The next segment names the one before by its hash, so that none can be changed or left out unseen. */
  #roll(at: Position, account: Account): void {
    this.#file.syncNow();
    this.#file.close();
    const { ordinal } = this.#head;
    const previous = createHash('sha256')
      .update(this.#files.read(nameOf(ordinal)))
      .digest('hex');
    const epochs = { epoch: this.#epoch, sourceEpoch: this.#sourceEpoch };
    this.#head = { version: 1, key: this.key, ordinal: ordinal + 1, at, account, ...epochs, previous };
    this.#end = at;
    [this.#file, this.#size, this.#register] = this.#create();
  }

  #create(): [SegmentFile, number, number] {
    const { bytes, register } = encodeHead(this.#head);
    const file = this.#files.create(nameOf(this.#head.ordinal));
    file.write(bytes, 0);
    this.#isDirty = true;
    return [file, bytes.length, register];
  }
}

/** Far more than are ever in flight. */
const recentMax = 32;

/** One that was begun when the machine lost its power may have no head yet: then it has nothing else either, and is removed. */
function lastSegment(files: SegmentFiles): { readonly name: string; readonly segment: Segment } | null {
  for (const name of [...files.names()].reverse()) {
    const bytes = files.read(name);
    if (bytes.includes(0x0a)) return { name, segment: decodedAt(files, name, bytes) };
    files.remove(name);
  }
  return null;
}

function decodedAt({ where }: SegmentFiles, name: string, bytes: Uint8Array): Segment {
  try {
    return decodeSegment(bytes);
  } catch (error) {
    throw error instanceof MalformedBytes ? new Error(`${where}/${name}: ${error.message}`, { cause: error }) : error;
  }
}

function nameOf(ordinal: number): string {
  return `${String(ordinal).padStart(8, '0')}.segment`;
}

function requireKey(path: string, found: LedgerKey, expected: LedgerKey): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${path} is the ledger of another copy: ${one}, not ${other}`);
}
