import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsSettings } from '../connection/open-socket.ts';

/** What a truststore or keystore is, by its first bytes: Java reads PKCS12 as JKS too, so that the declared type says little. */
export type StoreKind = 'PEM' | 'PKCS12' | 'JKS' | 'JCEKS' | 'unknown';

export function storeKind(bytes: Uint8Array): StoreKind {
  const first = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  if (first === 'feedfeed') return 'JKS';
  if (first === 'cececece') return 'JCEKS';
  if (Buffer.from(bytes).includes('-----BEGIN ')) return 'PEM';
  return first.startsWith('30') ? 'PKCS12' : 'unknown';
}

/** Why something cannot be used, and what to do; without any secret. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** Certificates of authorities. */
export function trustFrom(pem: string): Pick<TlsSettings, 'ca'> {
  const certificates = certificatesIn(pem);
  if (certificates.length === 0)
    throw new StoreRefused('there is no certificate in it: expected -----BEGIN CERTIFICATE-----');
  return { ca: certificates };
}

/** A key and its chain, the client's own certificate first. */
export function identityFrom(chainPem: string, keyPem: string, passphrase: string | null): TlsSettings {
  const cert = certificatesIn(chainPem);
  if (cert.length === 0) throw new StoreRefused('there is no certificate in it: expected -----BEGIN CERTIFICATE-----');
  const label = /-----BEGIN ([A-Z ]{0,20}PRIVATE KEY)-----/.exec(keyPem)?.[1] ?? 'PRIVATE KEY';
  const [key] = blocksIn(keyPem, label);
  if (key === undefined) throw new StoreRefused('there is no key in it: expected -----BEGIN PRIVATE KEY-----');
  const secret = passphrase === null ? {} : { passphrase };
  try {
    const own = createPrivateKey({ key, ...secret });
    const [first = ''] = cert;
    if (!new X509Certificate(first).checkPrivateKey(own))
      throw new StoreRefused(
        'the key does not belong to the first certificate: the own one comes first, then its authorities',
      );
    // Decrypted here, so that nothing later can fail for want of the passphrase.
    return { cert: cert.join('\n'), key: own.export({ type: 'pkcs8', format: 'pem' }) };
  } catch (error) {
    if (error instanceof StoreRefused) throw error;
    throw new StoreRefused('the key cannot be read: is ssl.key.password the right one?');
  }
}

/** A PKCS12 file with a key. One with certificates only has nothing to identify with. */
export function pkcs12Identity(bytes: Uint8Array, passphrase: string | null): TlsSettings {
  const settings = { pfx: Buffer.from(bytes), ...(passphrase === null ? {} : { passphrase }) };
  try {
    createSecureContext(settings);
    return settings;
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    if (/mac verify/i.test(said))
      throw new StoreRefused('it cannot be opened: is ssl.keystore.password the right one?');
    throw new StoreRefused(
      `Node cannot use it (${said}): it has to hold a key and its certificate, under ssl.keystore.password`,
    );
  }
}

/** The commands that make of a store of Java's what can be read here; a shell asks for the passwords. */
export function trustCommands(kind: StoreKind, path: string): string {
  const pem = `${withoutEnding(path)}.pem`;
  const then = `then ssl.truststore.type=PEM and ssl.truststore.location=${pem}`;
  if (kind === 'PKCS12') return `\`openssl pkcs12 -in ${quoted(path)} -nokeys -out ${quoted(pem)}\`, ${then}`;
  const p12 = `${withoutEnding(path)}.p12`;
  return `\`${keytool(kind, path, p12)}\` and \`openssl pkcs12 -in ${quoted(p12)} -nokeys -out ${quoted(pem)}\`, ${then}`;
}

export function identityCommands(kind: StoreKind, path: string): string {
  const p12 = `${withoutEnding(path)}.p12`;
  return `\`${keytool(kind, path, p12)}\`, then ssl.keystore.type=PKCS12 and ssl.keystore.location=${p12}`;
}

function keytool(kind: StoreKind, from: string, to: string): string {
  const types = `-srcstoretype ${kind} -deststoretype PKCS12`;
  return `keytool -importkeystore -srckeystore ${quoted(from)} -destkeystore ${quoted(to)} ${types}`;
}

function withoutEnding(path: string): string {
  return path.replace(/\.(jks|jceks|ks|p12|pfx|pkcs12|keystore|truststore)$/i, '');
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function certificatesIn(pem: string): string[] {
  const found = blocksIn(pem, 'CERTIFICATE');
  for (const [index, one] of found.entries()) {
    try {
      new X509Certificate(one);
    } catch {
      throw new StoreRefused(`certificate ${index + 1} in it cannot be read`);
    }
  }
  return found;
}

/** Blocks with this label, found from one end to the next, so that a hostile file takes no time out of proportion. */
function blocksIn(pem: string, label: string): string[] {
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  const blocks: string[] = [];
  for (let from = pem.indexOf(begin); from >= 0; ) {
    const to = pem.indexOf(end, from);
    if (to < 0) break;
    blocks.push(pem.slice(from, to + end.length));
    from = pem.indexOf(begin, to);
  }
  return blocks;
}
