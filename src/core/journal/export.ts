import { CanonicalJsonError, canonicalJson } from './canonical.ts';
import type { Entry, EventBody, Sha256 } from './entry.ts';
import { compareFindings, type Finding, nameOf } from './finding.ts';
import { followLinks, misplaced } from './verify.ts';

/** One line of an export, without the line break: the canonical JSON of the whole entry. */
export function exportLine(entry: Entry): string {
  return canonicalJson(entry);
}

/** The order of the chains in an export; within a chain it is that of the sequence numbers. */
export function compareOperations(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Reads and verifies an export, cut at its line breaks: the last line is empty unless the file was cut off. Beyond what
 * `verifyChain` names, every line must be exactly what was written: the one canonical text of its entry, in the one order.
 */
export function verifyExport(lines: readonly string[], sha256: Sha256): { entries: Entry[]; findings: Finding[] } {
  const entries: Entry[] = [];
  const findings: Finding[] = [];
  lines.slice(0, -1).forEach((line, index) => {
    const parsed = parseLine(line);
    if (parsed.entry !== null) entries.push(parsed.entry);
    if (parsed.problem !== null) findings.push(unreadable(index + 1, parsed.problem));
  });
  if (lines.at(-1) !== '') findings.push(unreadable(lines.length, 'the file ends in the middle of this line'));
  const chains = followLinks(entries, sha256).sort((a, b) => compareOperations(a.operation, b.operation));
  // Over all chains at once: an entry may also leave its chain for a place where no order of sequence numbers breaks.
  const moved = misplaced(chains.flatMap((chain) => chain.genuine));
  const all = [findings, ...chains.map((chain) => chain.findings), moved].flat();
  return { entries, findings: all.sort(compareFindings) };
}

type Parsed = { readonly entry: Entry | null; readonly problem: string | null };

function parseLine(line: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { entry: null, problem: 'it is not an entry (not JSON)' };
  }
  const entry = parseEntry(value);
  if (entry === null) return { entry, problem: 'it is not an entry (a field is missing or of another type)' };
  // White space, another spelling of the same number or a field too many leave the entry as it is: named all the same.
  const written = textOf(entry);
  const same = written === null || written === line;
  return {
    entry,
    problem: same ? null : `${nameOf(entry.operation, entry.seq)}: its text was changed, not its content`,
  };
}

/** null: the content cannot have been sealed, which `verifyChain` names. */
function textOf(entry: Entry): string | null {
  try {
    return exportLine(entry);
  } catch (error) {
    if (error instanceof CanonicalJsonError) return null;
    throw error;
  }
}

/** null: this is not an entry. */
function parseEntry(value: unknown): Entry | null {
  if (!isRecord(value)) return null;
  const { operation, seq, previous, hash, rules, atMs, actor, body } = value;
  if (typeof operation !== 'string' || typeof actor !== 'string') return null;
  if (typeof previous !== 'string' || typeof hash !== 'string') return null;
  if (!isInteger(seq) || !isInteger(rules) || !isInteger(atMs) || !isBody(body)) return null;
  return { operation, seq, previous, hash, rules, atMs, actor, body };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isBody(value: unknown): value is EventBody {
  return isRecord(value) && typeof value.kind === 'string';
}

function unreadable(line: number, problem: string): Finding {
  return { kind: 'unreadable', operation: '', seq: line, message: `line ${line}: ${problem}` };
}
