import type { DiskFloor } from '../../../core/move/disk-floor.ts';
import type { CopyAsked, CopyOrder } from '../../../core/move/operation/plan.ts';
import { CliError } from '../../context.ts';
import { bootstrapOf, type Reach, type SideName } from '../side.ts';
import { topicPattern } from '../topic-pattern.ts';

/** As they were typed. */
export type CopyWords = {
  readonly source: string;
  readonly target: string;
  readonly topics: string;
  readonly exclude?: string;
  readonly sourceConfig?: string;
  readonly targetConfig?: string;
  readonly from: string;
  readonly follow?: true;
  readonly maxRate?: string;
  readonly unlimited?: true;
  readonly replicationFactor?: string;
  readonly partitionsPerBroker?: string;
  readonly order: CopyOrder;
  readonly diskFloor: string;
  readonly metrics?: string;
  /** `--no-acls`: false. */
  readonly acls?: boolean;
  readonly offsets: 'mapped' | 'identical';
  readonly wait: string;
  readonly adopt?: true;
  readonly rebuild?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly journal?: string;
  readonly json?: true;
};

export type CopyOptions = {
  readonly topics: string;
  readonly exclude: string | null;
  readonly isChosen: (topic: string) => boolean;
  readonly from: From;
  readonly fromWords: string;
  readonly follow: boolean;
  /** Bytes per second to each broker of the target; null: no limit. */
  readonly rate: number | null;
  /** Null: as the source's. */
  readonly replicationFactor: number | null;
  /** Of each broker of the target at a time; null: all. */
  readonly partitionsPerBroker: number | null;
  readonly order: CopyOrder;
  readonly diskFloor: DiskFloor;
  /** What the target lacks of the source's ACLs of these topics is made there. */
  readonly copiesAcls: boolean;
  /** Where it tells its figures; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** How long an open transaction is waited for. */
  readonly waitMs: number;
};

export type From =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'time'; readonly ms: number };

/** What tells one command from another. */
export function askedBy({ topics, exclude, fromWords: from, follow }: CopyOptions): CopyAsked {
  return { topics, exclude, from, follow };
}

/** Throws CliError for the first that cannot be understood. */
export function copyOptions(words: CopyWords, nowMs: number): CopyOptions {
  const { topics, exclude = null, from, follow = false, replicationFactor, partitionsPerBroker: most, order } = words;
  if (words.offsets === 'identical')
    throw new CliError(
      '--offsets identical: this version cannot do that, and nothing was done',
      'leave it out: `drover kafka offsets` tells the counterpart of each offset, both ways',
    );
  if (words.rebuild !== undefined && (words.adopt || words.dryRun))
    throw new CliError(
      `--rebuild and ${words.adopt ? '--adopt' : '--dry-run'} exclude each other`,
      '--rebuild shows what it would delete, and does nothing before somebody agrees',
    );
  return {
    topics,
    exclude,
    isChosen: topicPattern(topics, exclude),
    from: fromOf(from, nowMs),
    fromWords: from,
    follow,
    rate: rateOf(words),
    replicationFactor: replicationFactor === undefined ? null : factorOf(replicationFactor),
    partitionsPerBroker: most === undefined ? null : countOf(most),
    order,
    diskFloor: floorOf(words.diskFloor),
    copiesAcls: words.acls !== false,
    metrics: words.metrics === undefined ? null : addressOf(words.metrics),
    waitMs: durationMs('--wait', words.wait),
  };
}

export function reachOf(side: SideName, words: CopyWords, version: string): Reach {
  return { side, bootstrap: bootstrapOf(side, words[side]), configFile: words[`${side}Config`] ?? null, version };
}

function fromOf(text: string, nowMs: number): From {
  if (text === 'earliest' || text === 'latest') return { kind: text };
  if (text.startsWith('-')) return { kind: 'time', ms: nowMs - durationMs('--from', text.slice(1)) };
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new CliError(
      `--from: ${JSON.stringify(text)} is no beginning`,
      'earliest, latest, a time such as 2026-03-01T12:00:00Z, or how long ago: -72h',
    );
  return { kind: 'time', ms: atMs };
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(option: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  if (count === undefined || unitMs === undefined)
    throw new CliError(`${option}: ${JSON.stringify(text)} is no length of time`, 'such as 30s, 10m, 72h or 7d');
  return Number(count) * unitMs;
}

function rateOf(words: CopyWords): number | null {
  const { maxRate, unlimited } = words;
  if (maxRate !== undefined && unlimited)
    throw new CliError('--max-rate and --unlimited exclude each other', 'give one of them');
  if (maxRate !== undefined) return bytesPerSecond(maxRate);
  const isAllLoopback = [...bootstrapOf('source', words.source), ...bootstrapOf('target', words.target)].every(
    ({ host }) => isLoopback(host),
  );
  if (unlimited || isAllLoopback) return null;
  throw new CliError(
    'how fast may it go? Brokers that serve others have to keep some of what they can do for them',
    'say it for each broker of the target, such as --max-rate 60MB/s (it can be changed while it runs), or --unlimited',
  );
}

const unitsBytes: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9 },
  ...{ TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
};

export function bytesPerSecond(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([kKMG]?i?B)\/s$/.exec(text) ?? [];
  const unitBytes = unitsBytes[unit];
  const rate = Math.round(Number(count) * (unitBytes ?? Number.NaN));
  // A batch may be a megabyte: slower than this, nothing would be seen to move for minutes.
  if (!(rate >= rateMin))
    throw new CliError(`--max-rate: ${JSON.stringify(text)} is no rate`, 'at least 10kB/s: 500kB/s, 60MB/s, 1.5GB/s');
  return rate;
}

function addressOf(text: string): NonNullable<CopyOptions['metrics']> {
  const [, six, four, port = ''] = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:[\]/]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = six ?? four;
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new CliError(
    `--metrics: ${JSON.stringify(text)} is no address`,
    'HOST:PORT to listen at, such as 127.0.0.1:9464',
  );
}

/** `5%` or `20GB`. */
export function floorOf(text: string): DiskFloor {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,2})?) ?%$/.exec(text) ?? [];
  if (percent !== undefined && Number(percent) <= 100) return { kind: 'share', share: Number(percent) / 100 };
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([kKMGT]?i?B)$/.exec(text) ?? [];
  const bytes = Math.round(Number(count) * (unitsBytes[unit] ?? Number.NaN));
  if (percent === undefined && Number.isSafeInteger(bytes)) return { kind: 'bytes', bytes };
  throw new CliError(
    `--disk-floor: ${JSON.stringify(text)} is no part of a disk`,
    'such as 5%, 20GB or 500GiB; 0% for none',
  );
}

/** Of a copy that is gone on with by another verb. */
export const usualDiskFloor = '5%';

const rateMin = 10_000;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new CliError(
    `--partitions-per-broker: ${JSON.stringify(text)} is no number of partitions`,
    'a whole number from 1 on',
  );
}

function factorOf(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new CliError(
    `--replication-factor: ${JSON.stringify(text)} is no number of replicas`,
    'a whole number from 1 on',
  );
}
