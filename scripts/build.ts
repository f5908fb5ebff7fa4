// Makes what the published package runs: dist/, because Node does not strip types below node_modules.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const checkout = join(import.meta.dirname, '..');
const dist = join(checkout, 'dist');

rmSync(dist, { recursive: true, force: true });
compile('tsconfig.build.json');
if (!existsSync(join(dist, 'main.js'))) fail('dist/main.js was not written: is src/main.ts there?');

function compile(project: string): void {
  // With this Node, whatever the first one on PATH is.
  const tsc = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', project], { cwd: checkout, stdio: 'inherit' });
  } catch {
    fail(`tsc -p ${project} failed, see above`);
  }
}

function fail(message: string): never {
  console.error(`build: ${message}`);
  process.exit(1);
}
