import { readFileSync } from 'node:fs';

/** The version of this package: `package.json` is its only source. The same way up from `src/cli/` and from `dist/cli/`. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new Error('package.json has no version');
}
