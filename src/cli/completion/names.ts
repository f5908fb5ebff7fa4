// Answers the scripts of `drover completion`: the names of drover.yaml, one a line. A program of its own, because somebody
// waits for it with a finger on the key: it loads a parser and nothing else, and whatever is wrong, it says nothing.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';

const bytesMax = 512 * 1024;

try {
  const [kind, ...options] = process.argv.slice(4);
  process.stdout.write(
    namesOf(kind, options)
      .map((name) => `${name}\n`)
      .join(''),
  );
} catch {
  // No file, or one that is not finished yet: there are no names to offer, and a prompt is no place for an error.
}

function namesOf(kind: string | undefined, [option, path]: readonly string[]): string[] {
  const file = option === '--config' && path !== undefined ? resolve(path) : nearestConfig(process.cwd());
  if (file === null || !statSync(file).isFile() || statSync(file).size > bytesMax) return [];
  // A file that is being written has errors; the names before them are still names.
  const found: unknown = parseDocument(readFileSync(file, 'utf8')).toJS({ maxAliasCount: 0 });
  if (!isRecord(found)) return [];
  const { services, waves } = found;
  if (kind === 'services' && isRecord(services)) return Object.keys(services).filter(isName);
  if (kind === 'waves' && Array.isArray(waves))
    return waves.map((wave) => (isRecord(wave) ? wave.name : null)).filter(isName);
  return [];
}

function nearestConfig(directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    const candidate = join(at, 'drover.yaml');
    if (existsSync(candidate)) return candidate;
    if (dirname(at) === at) return null;
  }
}

/** Only what a shell takes for a word and nothing else: the file may be a stranger's. */
function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_][\w.-]*$/.test(name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
