import { fetchFish } from '../fetch/fish.ts';
import { fetchHaproxy } from '../fetch/haproxy.ts';
import { fetchJava } from '../fetch/java.ts';
import { fetchEveryKafka } from '../fetch/kafka.ts';
import { fetchKcat } from '../fetch/kcat.ts';
import { fetchOpenssl } from '../fetch/openssl.ts';
import { fetchZsh } from '../fetch/zsh.ts';

/** Something that suites need and that `npm ci` does not bring. */
export type Requirement = {
  readonly name: string;
  /** Test files that import this file need it. */
  readonly file: string;
  /** Where it is; rejects with the reason why it cannot be had here. Aborted, it leaves nothing half done. */
  readonly obtain: (say: (line: string) => void, signal: AbortSignal) => Promise<string>;
};

export const requirements: readonly Requirement[] = [
  { name: 'HAProxy', file: 'scripts/fetch/haproxy.ts', obtain: fetchHaproxy },
  { name: 'zsh', file: 'scripts/fetch/zsh.ts', obtain: fetchZsh },
  { name: 'fish', file: 'scripts/fetch/fish.ts', obtain: fetchFish },
  { name: 'kcat', file: 'scripts/fetch/kcat.ts', obtain: fetchKcat },
  { name: 'OpenSSL', file: 'scripts/fetch/openssl.ts', obtain: fetchOpenssl },
  { name: 'Java 17', file: 'scripts/fetch/java.ts', obtain: fetchJava },
  { name: 'Kafka', file: 'scripts/fetch/kafka.ts', obtain: fetchEveryKafka },
];

/** `check` and `script` count as one test each, by their exit code; a `vitest` project counts its tests. */
export type Step =
  | { readonly kind: 'check'; readonly name: string; readonly command: readonly [string, ...string[]] }
  /** Only computes: it runs behind the step that follows, which mostly waits. */
  | { readonly kind: 'script'; readonly name: string; readonly command: readonly [string, ...string[]] }
  | { readonly kind: 'vitest'; readonly name: string };

export const steps: readonly Step[] = [
  { kind: 'check', name: 'biome', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { kind: 'check', name: 'tsc', command: ['tsc', '--noEmit'] },
  { kind: 'check', name: 'tsc-core', command: ['tsc', '-p', 'tsconfig.core.json'] },
  { kind: 'check', name: 'knip', command: ['knip', '--no-progress'] },
  { kind: 'vitest', name: 'unit' },
  { kind: 'script', name: 'simulator', command: ['node', 'scripts/sim.ts', '--seeds', '5000'] },
  { kind: 'vitest', name: 'integration' },
];

/** Steps to run, what their vitest runs are narrowed to, and the test files that are asked for. */
export type Selection = {
  readonly steps: readonly Step[];
  readonly arguments: readonly string[];
  /** Without a word for a path these are all: any may have a test whose name has the others. */
  readonly files: readonly string[];
};

/**
 * Without words: everything. A word that is the name of a step selects it; any other narrows vitest to the test files whose
 * path has it or, where no path does, to the tests whose name has it.
 */
export function select(words: readonly string[], testFiles: readonly string[]): Selection {
  const named = steps.filter((step) => words.includes(step.name));
  const others = words.filter((word) => !steps.some((step) => step.name === word));
  if (others.length === 0) return { steps: named.length === 0 ? steps : named, arguments: [], files: testFiles };
  const suites = (named.length === 0 ? steps : named).filter((step) => step.kind === 'vitest');
  const paths = others.filter((word) => testFiles.some((path) => path.includes(word)));
  const titles = others.filter((word) => !paths.includes(word)).map(literally);
  return {
    steps: suites,
    arguments: ['--passWithNoTests', ...paths, ...(titles.length === 0 ? [] : ['-t', titles.join('|')])],
    files: paths.length === 0 ? testFiles : testFiles.filter((file) => paths.some((word) => file.includes(word))),
  };
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
