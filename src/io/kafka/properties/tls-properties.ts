import type { TlsSettings } from '../connection/open-socket.ts';
import type { Given, ReadBytes } from './given.ts';
import type { TakenKey } from './known-keys.ts';
import {
  identityCommands,
  identityFrom,
  pkcs12Identity,
  type StoreKind,
  StoreRefused,
  storeKind,
  trustCommands,
  trustFrom,
} from './stores.ts';

/** What ssl.* says. Problems go to `given`. */
export function tlsOf(given: Given, read: ReadBytes): TlsSettings {
  const trust = told(given, 'ssl.truststore.location', () => trustOf(given, read));
  const identity = told(given, 'ssl.keystore.location', () => identityOf(given, read));
  return { ...trust, ...identity, ...nameCheckOf(given) };
}

function told(given: Given, key: TakenKey, settings: () => TlsSettings): TlsSettings {
  try {
    return settings();
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    given.problem(key, error.message);
    return {};
  }
}

/** Without a truststore: the authorities that Node knows. */
function trustOf(given: Given, read: ReadBytes): TlsSettings {
  const inline = given.value('ssl.truststore.certificates');
  const path = given.value('ssl.truststore.location');
  const type = typeOf(given, 'ssl.truststore.type');
  if (inline !== null) {
    if (path !== null) throw new StoreRefused('ssl.truststore.certificates is given too: keep one of them');
    expectPem(given, 'ssl.truststore.type', type);
    return told(given, 'ssl.truststore.certificates', () => trustFrom(inline));
  }
  if (path === null) return {};
  const bytes = fileAt(read, path);
  const kind = storeKind(bytes);
  if (kind === 'PEM') {
    expectPem(given, 'ssl.truststore.type', type);
    return trustFrom(Buffer.from(bytes).toString('utf8'));
  }
  if (kind === 'unknown') throw new StoreRefused(unknownStore(path));
  throw new StoreRefused(`${path} is ${kind}, and as a truststore PEM is read: ${trustCommands(kind, path)}`);
}

function identityOf(given: Given, read: ReadBytes): TlsSettings {
  const [chain, key] = [given.value('ssl.keystore.certificate.chain'), given.value('ssl.keystore.key')];
  const path = given.value('ssl.keystore.location');
  const type = typeOf(given, 'ssl.keystore.type');
  const keyPassword = given.value('ssl.key.password');
  if (chain !== null || key !== null) {
    if (path !== null) throw new StoreRefused('a key or a chain is given in the file itself too: keep one of them');
    if (chain === null || key === null) {
      given.problem(
        chain === null ? 'ssl.keystore.key' : 'ssl.keystore.certificate.chain',
        'key and chain are needed both',
      );
      return {};
    }
    expectPem(given, 'ssl.keystore.type', type);
    return told(given, 'ssl.keystore.key', () => identityFrom(chain, key, keyPassword));
  }
  if (path === null) return {};
  const bytes = fileAt(read, path);
  const kind = storeKind(bytes);
  switch (kind) {
    case 'PEM': {
      expectPem(given, 'ssl.keystore.type', type);
      const text = Buffer.from(bytes).toString('utf8');
      return identityFrom(text, text, keyPassword);
    }
    case 'PKCS12': {
      const password = given.value('ssl.keystore.password');
      if (keyPassword !== null && password !== null && keyPassword !== password)
        given.problem('ssl.key.password', 'in PKCS12 key and store have the same password: remove it');
      return pkcs12Identity(bytes, password);
    }
    case 'unknown':
      throw new StoreRefused(unknownStore(path));
    default:
      throw new StoreRefused(`${path} is ${kind}, and PEM or PKCS12 is read: ${identityCommands(kind, path)}`);
  }
}

const types = ['JKS', 'JCEKS', 'PKCS12', 'PEM'];

function typeOf(given: Given, key: 'ssl.truststore.type' | 'ssl.keystore.type'): string | null {
  const type = given.value(key)?.toUpperCase() ?? null;
  if (type !== null && !types.includes(type))
    given.problem(key, `expected PEM or PKCS12, and not another type of Java's`);
  return type;
}

/** Java would refuse it as well. */
function expectPem(given: Given, key: 'ssl.truststore.type' | 'ssl.keystore.type', type: string | null): void {
  if (type === 'PEM') return;
  const message =
    type === null ? `it holds PEM, so ${key}=PEM is needed, as for Kafka's own clients` : 'what is there is PEM';
  const at = given.has(key) ? key : key.includes('trust') ? 'ssl.truststore.location' : 'ssl.keystore.location';
  given.problem(at, message);
}

function fileAt(read: ReadBytes, path: string): Uint8Array {
  try {
    return read(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StoreRefused(`${path} cannot be read (${code})`);
  }
}

function unknownStore(path: string): string {
  const kinds: readonly StoreKind[] = ['PEM', 'PKCS12', 'JKS'];
  return `${path} is neither ${kinds.join(' nor ')}`;
}

function nameCheckOf(given: Given): TlsSettings {
  const algorithm = given.value('ssl.endpoint.identification.algorithm');
  if (algorithm === null || algorithm.toLowerCase() === 'https') return {};
  if (algorithm !== '') {
    given.problem('ssl.endpoint.identification.algorithm', 'expected https, or nothing for no check of the name');
    return {};
  }
  given.notes.push(
    'ssl.endpoint.identification.algorithm is empty: whoever has any certificate of these authorities passes for a broker, as names are not checked',
  );
  return { checkServerIdentity: () => undefined };
}
