import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { checkout } from '../../../scripts/test/child.ts';

const run = promisify(execFile);

/** npm as a person would call it in `directory`: without what the npm around this test has set. Rejects with npm's own words. */
export async function npm(directory: string, args: readonly string[]): Promise<string> {
  try {
    return (await run('npm', [...args], { cwd: directory, env: ownEnvironment(), maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`npm ${args.join(' ')}: ${said}`, { cause: error });
  }
}

/** Packs the checkout into `destination` and returns the path of the tarball. */
export async function pack(destination: string): Promise<string> {
  const said: unknown = JSON.parse(await npm(checkout, ['pack', '--json', '--pack-destination', destination]));
  const [first]: readonly unknown[] = Array.isArray(said) ? said : Object.values(Object(said));
  if (typeof first === 'object' && first !== null && 'filename' in first)
    return join(destination, String(first.filename));
  throw new Error(`npm pack did not say what it wrote: ${JSON.stringify(said)}`);
}

/** Without the variables of the npm, and the folders of the checkout, that this test may run under. */
export function ownEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|node_options$|vitest|node_env$)/i.test(name));
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/** npm's codes for a registry that it cannot reach, and that the cache does not make up for. */
export function meansNoRegistry(error: unknown): boolean {
  return /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ENETUNREACH)\b/.test(String(error));
}
