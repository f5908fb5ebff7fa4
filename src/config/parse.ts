import type { Config } from '../core/fleet/config.ts';
import { checkBalancers } from './checks/balancers.ts';
import type { Checking } from './checks/checking.ts';
import { checkCycles } from './checks/cycles.ts';
import { checkGroups } from './checks/groups.ts';
import { checkPolicies } from './checks/policies.ts';
import { checkReferences } from './checks/references.ts';
import { checkSockets } from './checks/sockets.ts';
import { checkTraffic } from './checks/traffic.ts';
import { readDocument } from './document.ts';
import { fileShape } from './grammar.ts';
import { type Finding, Findings, type Problem } from './problem.ts';
import { resolveConfig } from './resolve.ts';
import { invalid } from './shape.ts';
import { createSpeller } from './spelling.ts';

export type Parsed =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/**
 * `drover.yaml` to a configuration, or every problem in it at once, in the order of the file. Pure: `file` is only a name for
 * messages, `directory` (absolute) what relative paths are resolved against; nothing is opened. Never throws for any text, and
 * takes time in proportion to its length, which is bounded.
 */
export function parseConfig(text: string, file: string, directory: string): Parsed {
  const problems = new Findings();
  const warnings = new Findings();
  const spell = createSpeller();
  const report = (finding: Finding): void => problems.add(finding);
  const document = readDocument(text);
  document.findings.forEach(report);
  const top = { path: '', key: { line: 1, column: 1 }, report, spell };
  const fields = document.source === null ? invalid : fileShape.read(document.source, top);
  if (fields !== invalid) {
    const warn = (finding: Finding): void => warnings.add(finding);
    const checking: Checking = { file: fields, directory, problem: report, warn, spell };
    for (const check of checks) check(checking);
  }
  if (fields === invalid || !problems.isEmpty) {
    return { ok: false, problems: problems.inFile(file), warnings: warnings.inFile(file) };
  }
  return { ok: true, config: resolveConfig(fields, directory), warnings: warnings.inFile(file) };
}

const checks = [checkReferences, checkCycles, checkBalancers, checkSockets, checkTraffic, checkGroups, checkPolicies];
