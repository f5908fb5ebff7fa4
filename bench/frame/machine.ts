import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Without these a figure means nothing: what it was measured on, and of which code. */
export function describeMachine(): string {
  const memoryGiB = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${availableParallelism()} × ${model}, ${memoryGiB} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** Beginning of the commit, and whether anything was changed since. */
export function describeCommit(): string {
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD');
    return git('status', '--porcelain') === '' ? commit : `${commit}, with changes that are not committed`;
  } catch (error) {
    return `unknown (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`;
  }
}

/** Load averages over 1, 5 and 15 minutes. Above the number of processors something else was measured as well. */
export function describeLoad(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(' ');
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
