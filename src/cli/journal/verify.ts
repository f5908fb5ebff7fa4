import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { missingAnchors } from '../../core/journal/anchors.ts';
import type { Entry, Head, Sha256 } from '../../core/journal/entry.ts';
import { verifyExport } from '../../core/journal/export.ts';
import type { Finding } from '../../core/journal/finding.ts';
import { anchorOf, fleetOperation } from '../../core/journal/fleet.ts';
import { sampleReferences, verifySamples } from '../../core/journal/samples.ts';
import { verifyChain, verifyHead } from '../../core/journal/verify.ts';
import { endedAtSeq } from '../../core/rollout/state.ts';
import { PortError } from '../../engine/ports.ts';
import { CliError, type Context, type Journal } from '../context.ts';
import { table } from '../terminal/table.ts';
import { headsInOrder, readUpTo } from './export.ts';
import { inert } from './sentences.ts';

/** What `--json` prints. `samples` is null for an export, which has none. `missing`: what the fleet chain should anchor and does not. */
export type Verification = {
  readonly entries: number;
  readonly chains: readonly VerifiedChain[];
  readonly samples: { readonly intact: number; readonly pruned: number } | null;
  readonly findings: readonly Finding[];
};

/** `anchored`: by the fleet chain, whose own is true. */
export type VerifiedChain = Head & { readonly anchored: boolean; readonly missing: readonly ('start' | 'end')[] };

export async function verifyStore(journal: Journal, heads: readonly string[], sha256: Sha256): Promise<Verification> {
  const chains: Entry[][] = [];
  const unreadable: Finding[] = [];
  for (const head of await headsInOrder(journal)) {
    try {
      chains.push(await readUpTo(journal, head));
    } catch (error) {
      if (!(error instanceof PortError && error.code === 'corrupt')) throw error;
      const message = `operation ${head.operation}: ${error.message}`;
      unreadable.push({ kind: 'unreadable', operation: head.operation, seq: 0, message });
    }
  }
  const entries = chains.flat();
  const samples = await checkSamples(journal, entries, sha256);
  const lost = new Set(unreadable.map(({ operation }) => operation));
  // What could not be read is not missing: it has been named.
  const broken = verifyChain(entries, sha256).filter(({ operation }) => !lost.has(operation));
  const findings = [...unreadable, ...broken, ...samples.findings, ...checkHeads(entries, heads)];
  const { intact, pruned } = samples;
  return { entries: entries.length, chains: chainsOf(entries), samples: { intact, pruned }, findings };
}

export async function verifyFile(context: Context, file: string, heads: readonly string[]): Promise<Verification> {
  const { entries, findings } = verifyExport(await linesOf(resolve(context.directory, file)), context.world.sha256);
  return {
    entries: entries.length,
    chains: chainsOf(entries),
    samples: null,
    findings: [...findings, ...checkHeads(entries, heads)],
  };
}

/** A line that is not UTF-8 is read as Latin-1: it then differs from whatever was written, and its entry is named. */
async function linesOf(path: string): Promise<string[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new CliError(
      `cannot read the export ${path}: ${String(error)}`,
      'give the file of drover journal export',
      error,
    );
  });
  const lines: string[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(decodeLine(bytes.subarray(start, end)));
    start = end + 1;
    if (found < 0) break;
  }
  return lines;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeLine(line: Buffer): string {
  try {
    return decoder.decode(line);
  } catch {
    return line.toString('latin1');
  }
}

async function checkSamples(journal: Journal, entries: readonly Entry[], sha256: Sha256) {
  const findings: Finding[] = [];
  let intact = 0;
  let pruned = 0;
  for (const reference of sampleReferences(entries)) {
    const samples = await journal.samples.read(reference.operation, reference.block);
    const result = verifySamples(reference, samples, sha256);
    if (result === 'intact') intact += 1;
    else if (result === 'pruned') pruned += 1;
    else findings.push(result);
  }
  return { intact, pruned, findings };
}

function checkHeads(entries: readonly Entry[], heads: readonly string[]): Finding[] {
  return heads.flatMap((head) => verifyHead(entries, head) ?? []);
}

function chainsOf(entries: readonly Entry[]): VerifiedChain[] {
  const chains = Map.groupBy(entries, ({ operation }) => operation);
  const fleet = chains.get(fleetOperation) ?? [];
  const anchored = new Set(fleet.flatMap(({ body }) => anchorOf(body)?.operation ?? []));
  return [...chains].flatMap(([operation, chain]) => {
    const head = chain.at(-1);
    if (head === undefined) return [];
    const isFleet = operation === fleetOperation;
    const missing = isFleet ? [] : missingAnchors(chain, fleet, endedAtSeq(chain));
    return {
      ...{ operation, seq: head.seq, hash: head.hash },
      anchored: isFleet || anchored.has(operation),
      missing: missing.map(({ kind }) => (kind === 'operation-started' ? 'start' : 'end')),
    };
  });
}

function anchorWords({ missing, anchored }: VerifiedChain): string {
  if (missing.length === 0) return '';
  if (!anchored) return `not anchored in the fleet chain${missing.includes('end') ? ', though it has ended' : ''}`;
  return missing.includes('end')
    ? 'has ended, and the fleet chain does not anchor its end'
    : 'the fleet chain does not anchor its start';
}

/** Findings first: they are what one looks for. */
export function describe({ entries, chains, samples, findings }: Verification, headsGiven: boolean): string {
  const lines = findings.map(({ message }) => inert(message));
  const clean = 'nothing was edited, removed, inserted or moved';
  const verdict = findings.length === 0 ? clean : `${findings.length} found`;
  lines.push(`${plural(chains.length, 'chain')}, ${plural(entries, 'entry', 'entries')}: ${verdict}`);
  const rows = chains.map((chain) => [
    `  ${inert(chain.operation)}`,
    String(chain.seq),
    chain.hash,
    anchorWords(chain),
  ]);
  lines.push(...table(rows, 'lrll'));
  if (chains.some(({ missing }) => missing.length > 0)) lines.push(anchorRemedy);
  if (samples !== null) lines.push(`samples: ${plural(samples.intact, 'block')} intact, ${samples.pruned} pruned`);
  if (!headsGiven) {
    lines.push(
      'A cut end, or a journal written anew as a whole, shows only against a head kept elsewhere (reports and notifications have it): --head HASH',
    );
  }
  return `${lines.join('\n')}\n`;
}

const anchorRemedy =
  'An anchor is missing where a controller died right behind an entry: the next `drover apply` writes it. Until then a cut end of that chain does not show';

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
