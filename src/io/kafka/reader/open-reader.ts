import { readFileSync } from 'node:fs';
import { PortError } from '../../../engine/ports.ts';
import type { Address, FinderSettings } from '../broker-finder.ts';
import { type ClientProperties, clientProperties } from '../properties/client-properties.ts';
import { KafkaReader } from './kafka-reader.ts';

export type ReaderOptions = {
  /** `source` or `target`. */
  readonly side: string;
  readonly bootstrap: readonly Address[];
  /** In the syntax of Kafka's `--command-config`; null: a plain listener. */
  readonly configFile: string | null;
  readonly version: string;
};

/** Nothing is connected yet. Throws a PortError that tells every problem of the file, and has no secret in it. */
export function openReader(options: ReaderOptions): {
  readonly reader: KafkaReader;
  readonly notes: readonly string[];
} {
  const { settings, notes } = poolSettings(options, 'drover-verify');
  const limits = { fetchBytesMax: mebibyte, recordBytesMax: 256 * mebibyte, patienceMs: 60_000 };
  return { reader: new KafkaReader(settings, limits), notes };
}

/** How a cluster is reached. `clientId`: unless the file has one. Throws a PortError that tells every problem of the file. */
export function poolSettings(
  { side, bootstrap, configFile, version }: ReaderOptions,
  clientIdOtherwise: string,
): { readonly settings: FinderSettings; readonly notes: readonly string[] } {
  const { tls, sasl, clientId, notes } = configFile === null ? plain : propertiesAt(configFile);
  const settings = {
    side,
    bootstrap,
    tls,
    sasl,
    clientId: clientId ?? clientIdOtherwise,
    clientVersion: version,
    connectDeadlineMs: 10_000,
    requestDeadlineMs: 30_000,
    responseBytesMax: 256 * mebibyte,
    unsentBytesMax: mebibyte,
  };
  return {
    settings,
    notes: configFile === null ? [] : notes.map((note) => `${configFile}: ${note}`),
  };
}

const mebibyte = 1024 * 1024;

const plain: ClientProperties = { tls: null, sasl: null, clientId: null, notes: [] };

function propertiesAt(file: string): ClientProperties {
  const result = clientProperties(textAt(file), (path) => readFileSync(path));
  if ('properties' in result) return result.properties;
  const lines = result.problems.map(({ line, message }) => `${file}:${line}: ${message}`);
  throw new PortError('refused', lines.join('\n'), { retriable: false });
}

/** Java reads such files as ISO 8859-1 or as UTF-8, by the tool; what is not valid UTF-8 is the former. */
function textAt(file: string): string {
  try {
    const bytes = readFileSync(file);
    const text = bytes.toString('utf8');
    return text.includes('\ufffd') ? bytes.toString('latin1') : text;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new PortError('not-found', `${file} cannot be read (${code})`, { retriable: false, cause: error });
  }
}
