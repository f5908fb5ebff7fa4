import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { BuildConfig, LocalGroupConfig } from '../../../core/fleet/config.ts';
import type { Reading } from '../../../core/observed/reading.ts';

/**
 * Identity of what would be started now: the hash of the command line and the variables of the configuration (placeholders
 * unfilled, in any order), and of the content of the files. Only the hash leaves this function: variables may be secret.
 */
export async function commandBuild(
  build: Extract<BuildConfig, { kind: 'command' }>,
  local: Pick<LocalGroupConfig, 'command' | 'env' | 'workingDirectory'>,
): Promise<Reading<string>> {
  const variables = Object.entries(local.env).sort(([one], [other]) => (one < other ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([local.command, variables]));
  for (const file of build.files) {
    const content = await contentHash(resolve(local.workingDirectory, file));
    if (!content.known) return content;
    hash.update(content.value);
  }
  return { known: true, value: `command-${hash.digest('hex').slice(0, 12)}` };
}

async function contentHash(file: string): Promise<Reading<string>> {
  try {
    return {
      known: true,
      value: createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return { known: false, why: `${file}, which is part of the build, cannot be read (${String(error.code)})` };
  }
}
