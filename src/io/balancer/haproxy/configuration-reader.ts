import { readFile, stat } from 'node:fs/promises';
import { type Unknown, unknown } from '../../../core/observed/reading.ts';
import { type BackendConfiguration, configurationOf } from './configuration-file.ts';

export type FileFacts = { readonly facts: BackendConfiguration } | Unknown;
export type ConfigurationReader = () => Promise<FileFacts>;

/** What haproxy.cfg says of the backend, read again when the file has changed; unknown, with the reason, where it does not say. */
export function configurationReader(path: string | null, backend: string): ConfigurationReader {
  let seen = '';
  let result: FileFacts = unknown('not read yet');
  return async () => {
    if (path === null) return unknown('the runtime socket does not tell it; haproxy.cfg does, and was not given');
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version !== seen) result = interpreted(path, backend, await readFile(path, 'utf8'));
      seen = version;
      return result;
    } catch (error) {
      seen = '';
      return unknown(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

function interpreted(path: string, backend: string, text: string): FileFacts {
  const found = configurationOf(text, backend);
  if (found === 'absent') return unknown(`${path} has no backend ${backend}`);
  if (found === 'conditional') return unknown(`in ${path} the backend ${backend} depends on .if`);
  return { facts: found };
}
