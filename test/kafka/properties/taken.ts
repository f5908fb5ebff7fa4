import { clientProperties } from '../../../src/io/kafka/properties/client-properties.ts';
import { propertiesText } from '../../integration/kafka/lab/settings.ts';

type Files = ReadonlyMap<string, Uint8Array>;

export function taken(properties: Readonly<Record<string, string>>, files: Files = new Map(), raw = false) {
  const result = clientProperties(raw ? rawText(properties) : propertiesText(properties), reading(files));
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.properties;
}

export function refused(properties: Readonly<Record<string, string>>, files: Files = new Map()): string[] {
  return told(clientProperties(propertiesText(properties), reading(files)));
}

export function told(result: ReturnType<typeof clientProperties>): string[] {
  return 'problems' in result ? result.problems.map(({ line, message }) => `${line} ${message}`) : [];
}

function rawText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function reading(files: Files) {
  return (path: string) => files.get(path) ?? unreadable(path);
}

export function unreadable(path: string): never {
  throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
}
