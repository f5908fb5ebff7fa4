/**
 * Two sequences of records, compared in order without knowing which offset belongs to which. What differs is told as runs; a run that is
 * missing in one place and there in another was reordered, one that had been seen before is repeated, and one that has another time only is
 * retimed. Memory is bounded by the windows, however much is compared.
 */

/** A record of one side. `content`: a digest of key, value and headers. Records are equal where content and time are. */
export type Seen = { readonly offset: number; readonly timeMs: number; readonly content: string };

export type Difference = {
  readonly kind: 'missing' | 'extra' | 'repeated' | 'reordered' | 'changed' | 'retimed';
  /** Offsets of the source from … to, both included; null: nothing of the source is concerned. */
  readonly source: Offsets | null;
  readonly target: Offsets | null;
  readonly count: number;
};
export type Offsets = { readonly from: number; readonly to: number };

export type AlignmentResult = {
  readonly equal: number;
  readonly counts: Readonly<Record<Difference['kind'], number>>;
  /** In the order in which they were found, the first `listedMax`. */
  readonly differences: readonly Difference[];
};

/** So many records of each side are looked at to find where both go on alike. */
const windowRecords = 20_000;
/** So many on end have to be alike to go on there, where there are as many. */
const anchorRecords = 4;
const listedMax = 1000;

type Side = 'source' | 'target';

export class Alignment {
  readonly #queues: Record<Side, Seen[]> = { source: [], target: [] };
  readonly #ended: Record<Side, boolean> = { source: false, target: false };
  readonly #recent = new Recent(windowRecords);
  /** What was missing, or too much, and was not found elsewhere yet: the entries that tell of it. */
  readonly #missing = new Map<string, Entry[]>();
  readonly #extra = new Map<string, Entry[]>();
  readonly #entries: Entry[] = [];
  readonly #counts = { missing: 0, extra: 0, repeated: 0, reordered: 0, changed: 0, retimed: 0 };
  #equal = 0;
  #last: Entry | null = null;

  /** Which side has to be read on. null: both have ended. */
  get wants(): Side | null {
    const { source, target } = this.#queues;
    if (this.#ended.source) return this.#ended.target ? null : 'target';
    if (this.#ended.target) return 'source';
    return source.length <= target.length ? 'source' : 'target';
  }

  add(side: Side, records: readonly Seen[]): void {
    for (const record of records) this.#queues[side].push(record);
    this.#advance();
  }

  end(side: Side): void {
    this.#ended[side] = true;
    this.#advance();
  }

  result(): AlignmentResult {
    const differences = this.#entries.filter(({ count }) => count > 0);
    return { equal: this.#equal, counts: this.#counts, differences };
  }

  #advance(): void {
    const { source, target } = this.#queues;
    for (;;) {
      this.#takeEqual();
      const isFull = (side: Side) => this.#ended[side] || this.#queues[side].length >= windowRecords;
      if (source.length + target.length === 0 || !isFull('source') || !isFull('target')) return;
      const { left, right } = whereBothGoOn(source, target, areEqual);
      this.#takeDifferent(left, right);
    }
  }

  #takeEqual(): void {
    const { source, target } = this.#queues;
    const count = alikeAtFirst(source, target, Math.min(source.length, target.length), areEqual);
    if (count === 0) return;
    this.#countEqual(source.splice(0, count));
    target.splice(0, count);
  }

  #countEqual(records: readonly Seen[]): void {
    for (const record of records) this.#recent.add(record);
    this.#last = null;
    this.#equal += records.length;
  }

  /** Pairs of the same content, in runs of the same and of another time. */
  #takeAlike(source: readonly Seen[], target: readonly Seen[]): void {
    for (let at = 0; at < source.length; ) {
      const isEqual = source[at]?.timeMs === target[at]?.timeMs;
      let end = at + 1;
      while (end < source.length && (source[end]?.timeMs === target[end]?.timeMs) === isEqual) end += 1;
      if (isEqual) this.#countEqual(source.slice(at, end));
      else this.#takeRetimed(source.slice(at, end), target.slice(at, end));
      at = end;
    }
  }

  /**
   * The first `left` and `right` records have no counterpart with the same time. Those with another time are found by their content.
   * What is left over of one side where the windows end may have its counterpart behind them, and stays.
   */
  #takeDifferent(left: number, right: number): void {
    const { source, target } = this.#queues;
    const isOpen = left === source.length && right === target.length && !(this.#ended.source && this.#ended.target);
    let [restLeft, restRight] = [left, right];
    while (restLeft + restRight > 0) {
      const alike = alikeAtFirst(source, target, Math.min(restLeft, restRight), haveEqualContent);
      this.#takeAlike(source.splice(0, alike), target.splice(0, alike));
      restLeft -= alike;
      restRight -= alike;
      const isRest = restLeft === 0 || restRight === 0;
      if (isOpen && isRest && restLeft + restRight < left + right) return;
      const skipped = isRest
        ? { left: restLeft, right: restRight }
        : whereBothGoOn(source.slice(0, restLeft), target.slice(0, restRight), haveEqualContent);
      this.#tell(source.splice(0, skipped.left), target.splice(0, skipped.right));
      restLeft -= skipped.left;
      restRight -= skipped.right;
    }
  }

  #takeRetimed(source: readonly Seen[], target: readonly Seen[]): void {
    for (const record of source) this.#recent.add({ ...record, timeMs: timeless });
    this.#list('retimed', source, target);
  }

  #tell(missing: readonly Seen[], extra: readonly Seen[]): void {
    if (missing.length + extra.length === 0) return;
    const lacking = runsOf(missing, (one) => (this.#take(this.#extra, one) ? 'reordered' : 'missing'));
    const keys = lacking.filter(({ kind }) => kind === 'missing').flatMap(({ records }) => records.map(this.#keyOf));
    const own = new Set(keys);
    const isReplaced =
      missing.length === extra.length &&
      own.size > 0 &&
      lacking.every(({ kind }) => kind === 'missing') &&
      extra.every((one) => !own.has(this.#keyOf(one)) && !this.#missing.has(this.#keyOf(one)) && !this.#isRecent(one));
    if (isReplaced) {
      this.#list('changed', missing, extra);
      return;
    }
    for (const { kind, records } of lacking) {
      const entry = this.#list(kind, records, []);
      if (kind === 'missing') this.#remember(this.#missing, records, entry);
    }
    for (const { kind, records } of runsOf(extra, (one) => this.#kindOfExtra(one))) {
      const entry = this.#list(kind, [], records);
      if (kind === 'extra') this.#remember(this.#extra, records, entry);
    }
  }

  #kindOfExtra(record: Seen): 'extra' | 'repeated' | 'reordered' {
    if (this.#take(this.#missing, record)) return 'reordered';
    return this.#isRecent(record) ? 'repeated' : 'extra';
  }

  #isRecent(record: Seen): boolean {
    return this.#recent.has(record) || this.#recent.has({ ...record, timeMs: timeless });
  }

  /** Where times are lost anyway, a record is found again by its content. */
  readonly #keyOf = ({ content, timeMs }: Seen): string =>
    this.#counts.retimed > 0 ? content : keyOf({ content, timeMs });

  /** Whether a record was told of as missing, or as extra: then it is neither, but in another place. */
  #take(told: Map<string, Entry[]>, record: Seen): boolean {
    const key = this.#keyOf(record);
    const entries = told.get(key);
    const entry = entries?.pop();
    if (entries === undefined || entry === undefined) return false;
    if (entries.length === 0) told.delete(key);
    entry.count -= 1;
    this.#counts[entry.kind] -= 1;
    return true;
  }

  #remember(told: Map<string, Entry[]>, records: readonly Seen[], entry: Entry): void {
    for (const record of records) {
      if (told.size >= windowRecords) return;
      const key = this.#keyOf(record);
      const entries = told.get(key);
      if (entries === undefined) told.set(key, [entry]);
      else entries.push(entry);
    }
  }

  /** With nothing else in between, one run. */
  #list(kind: Difference['kind'], source: readonly Seen[], target: readonly Seen[]): Entry {
    const count = Math.max(source.length, target.length);
    this.#counts[kind] += count;
    const last = this.#last;
    if (last?.kind === kind) {
      last.source = joined(last.source, offsetsOf(source));
      last.target = joined(last.target, offsetsOf(target));
      last.count += count;
      return last;
    }
    const entry = { kind, source: offsetsOf(source), target: offsetsOf(target), count };
    if (this.#entries.length < listedMax) this.#entries.push(entry);
    this.#last = entry;
    return entry;
  }
}

/** While it is found out what a difference is, some of its records may turn out to be elsewhere. */
type Entry = { -readonly [Key in keyof Difference]: Difference[Key] };

/** Stands for a time that does not count. */
const timeless = Number.NaN;

function keyOf({ content, timeMs }: Pick<Seen, 'content' | 'timeMs'>): string {
  return `${content} ${timeMs}`;
}

type Alike = (one: Seen, other: Seen) => boolean;

function areEqual(one: Seen, other: Seen): boolean {
  return one.timeMs === other.timeMs && one.content === other.content;
}

function haveEqualContent(one: Seen, other: Seen): boolean {
  return one.content === other.content;
}

function alikeAtFirst(source: readonly Seen[], target: readonly Seen[], countMax: number, alike: Alike): number {
  for (let index = 0; index < countMax; index += 1) {
    const [one, other] = [source[index], target[index]];
    if (one === undefined || other === undefined || !alike(one, other)) return index;
  }
  return countMax;
}

/** The last records that were equal. Where nothing differs, nobody asks for them: they are indexed at the first question. */
class Recent {
  readonly #sizeMax: number;
  readonly #order: Pick<Seen, 'content' | 'timeMs'>[] = [];
  #index: Map<string, number> | null = null;
  #next = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  add(record: Seen): void {
    const old = this.#order[this.#next];
    if (old !== undefined) this.#forget(old);
    this.#order[this.#next] = record;
    this.#next = (this.#next + 1) % this.#sizeMax;
    if (this.#index !== null) count(this.#index, record);
  }

  has(record: Seen): boolean {
    if (this.#index === null) {
      this.#index = new Map();
      for (const one of this.#order) count(this.#index, one);
    }
    return this.#index.has(keyOf(record));
  }

  #forget(record: Pick<Seen, 'content' | 'timeMs'>): void {
    const key = this.#index === null ? '' : keyOf(record);
    const counted = this.#index?.get(key) ?? 0;
    if (counted > 1) this.#index?.set(key, counted - 1);
    else this.#index?.delete(key);
  }
}

function count(index: Map<string, number>, record: Pick<Seen, 'content' | 'timeMs'>): void {
  const key = keyOf(record);
  index.set(key, (index.get(key) ?? 0) + 1);
}

/**
 * The fewest records to leave out on both sides together so that the next `anchorRecords` are alike; all of both where there is no
 * such place.
 */
function whereBothGoOn(source: readonly Seen[], target: readonly Seen[], alike: Alike): Place {
  for (const size of nearRecords) {
    if (source.length <= size || target.length <= size) break;
    const near = placeIn(source.slice(0, size), target.slice(0, size), alike);
    // None that is nearer can lie outside, and this one is whole.
    if (near.left + near.right <= size - anchorRecords) return near;
  }
  return placeIn(source, target, alike);
}

type Place = { readonly left: number; readonly right: number };

/** Most differences are short: looking through the whole windows for each of many would take long. */
const nearRecords = [128, 2048];

function placeIn(source: readonly Seen[], target: readonly Seen[], alike: Alike): Place {
  const places = new Map<string, number[]>();
  for (const [index, { content }] of target.entries()) {
    const indexes = places.get(content);
    if (indexes === undefined) places.set(content, [index]);
    else if (indexes.length < candidatesMax) indexes.push(index);
  }
  let best = { left: source.length, right: target.length };
  for (const [left, { content }] of source.entries()) {
    if (left >= best.left + best.right) break;
    for (const right of places.get(content) ?? []) {
      if (left + right >= best.left + best.right) break;
      const length = Math.min(anchorRecords, source.length - left, target.length - right);
      const isAnchor = Array.from({ length }, (_, at) => [source[left + at], target[right + at]] as const).every(
        ([one, other]) => one !== undefined && other !== undefined && alike(one, other),
      );
      if (isAnchor) best = { left, right };
    }
  }
  return best;
}

/** Records that are all the same have no place where they go on. */
const candidatesMax = 64;

function runsOf<Kind>(records: readonly Seen[], kindOf: (record: Seen) => Kind): { kind: Kind; records: Seen[] }[] {
  const runs: { kind: Kind; records: Seen[] }[] = [];
  for (const record of records) {
    const kind = kindOf(record);
    const last = runs.at(-1);
    if (last?.kind === kind) last.records.push(record);
    else runs.push({ kind, records: [record] });
  }
  return runs;
}

function offsetsOf(records: readonly Seen[]): Offsets | null {
  const [first, last] = [records[0], records.at(-1)];
  return first === undefined || last === undefined ? null : { from: first.offset, to: last.offset };
}

function joined(before: Offsets | null, more: Offsets | null): Offsets | null {
  if (before === null || more === null) return before ?? more;
  return { from: before.from, to: more.to };
}
