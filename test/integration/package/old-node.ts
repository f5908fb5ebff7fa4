import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

export type OldNode = { readonly path: string; readonly major: number };

/** The first Node on PATH that is too old to run Drover by itself; null: there is none on this machine. */
export function oldNode(): OldNode | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders) {
    const path = join(folder, 'node');
    const major = majorOf(path);
    if (major !== null && major < 24) return { path, major };
  }
  return null;
}

function majorOf(path: string): number | null {
  try {
    const program = 'process.versions.node.split(".")[0]';
    return Number(execFileSync(path, ['-p', program], { encoding: 'utf8', stdio: 'pipe' }));
  } catch {
    return null;
  }
}
