import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fetchOpenssl } from '../../../scripts/fetch/openssl.ts';
import { refused, taken } from '../../kafka/properties/taken.ts';
import { run } from './lab/running.ts';

const files = new Map<string, Uint8Array>();

beforeAll(async () => {
  const path = await fetchOpenssl();
  const folder = await mkdtemp(join(tmpdir(), 'drover-stores-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) =>
    run({ name: 'openssl', path, args, environment: {} }, { timeLimitMs: 30_000 });
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const secret = ['-passout', 'pass:opensesame'];
    const made = ['-x509', '-subj', '/CN=somebody', '-days', '2'];
    for (const name of ['own', 'other'])
      await openssl('req', ...key, ...made, '-noenc', '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`));
    await openssl('pkcs8', '-topk8', '-in', at('own.key'), ...secret, '-out', at('own.secret'));
    const exported = ['pkcs12', '-export', '-in', at('own.crt'), ...secret];
    await openssl(...exported, '-inkey', at('own.key'), '-out', at('key.p12'));
    await openssl(...exported, '-nokeys', '-out', at('trust-only.p12'));
    const both = async (...names: readonly string[]) =>
      Buffer.concat(await Promise.all(names.map((name) => readFile(at(name)))));
    files.set('cert.pem', await both('own.crt'));
    files.set('key.pem', await both('own.key'));
    files.set('both.pem', await both('own.key', 'own.crt'));
    files.set('encrypted.pem', await both('own.secret', 'own.crt'));
    files.set('stranger.pem', await both('other.key', 'own.crt'));
    files.set('key.p12', await both('key.p12'));
    files.set('trust-only.p12', await both('trust-only.p12'));
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('stores that OpenSSL has made', () => {
  test('PEM in files and in the values themselves', () => {
    const ssl = { 'security.protocol': 'SSL', 'ssl.truststore.type': 'PEM', 'ssl.keystore.type': 'PEM' };
    const byFile = taken({ ...ssl, 'ssl.truststore.location': 'cert.pem', 'ssl.keystore.location': 'both.pem' }, files);
    const text = (name: string) => Buffer.from(files.get(name) ?? '').toString('utf8');
    const inline = taken(
      {
        ...ssl,
        'ssl.truststore.certificates': text('cert.pem').replaceAll('\n', '\\n'),
        'ssl.keystore.certificate.chain': text('cert.pem').replaceAll('\n', '\\n'),
        'ssl.keystore.key': text('key.pem').replaceAll('\n', '\\n'),
      },
      files,
      true,
    );
    expect(byFile.tls?.ca).toHaveLength(1);
    expect(byFile.tls).toEqual(inline.tls);
    expect(String(byFile.tls?.key)).toContain('PRIVATE KEY');
  });

  test('an encrypted key needs its password, and a key its own certificate', () => {
    const ssl = { 'security.protocol': 'SSL', 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': 'encrypted.pem' };
    expect(taken({ ...ssl, 'ssl.key.password': 'opensesame' }, files).tls?.key).toBeDefined();
    expect(refused({ ...ssl, 'ssl.key.password': 'wrong' }, files).join()).toContain(
      'is ssl.key.password the right one?',
    );
    expect(refused({ ...ssl, 'ssl.keystore.location': 'stranger.pem' }, files).join()).toContain('does not belong');
  });

  test('PKCS12 with a key is a keystore, whatever type is declared', () => {
    const ssl = {
      'security.protocol': 'SSL',
      'ssl.keystore.location': 'key.p12',
      'ssl.keystore.password': 'opensesame',
    };
    expect(taken(ssl, files).tls?.pfx).toBeDefined();
    expect(refused({ ...ssl, 'ssl.keystore.password': 'wrong' }, files).join()).toContain('ssl.keystore.password');
  });

  test('what cannot be read is refused with the commands that convert it', () => {
    const jks = new Map([['trust.jks', Buffer.from('feedfeed00000002', 'hex')], ...files]);
    const ssl = { 'security.protocol': 'SSL' };
    expect(refused({ ...ssl, 'ssl.truststore.location': 'trust.jks' }, jks)).toEqual([
      '2 ssl.truststore.location: trust.jks is JKS, and as a truststore PEM is read: ' +
        '`keytool -importkeystore -srckeystore trust.jks -destkeystore trust.p12 -srcstoretype JKS -deststoretype PKCS12` and ' +
        '`openssl pkcs12 -in trust.p12 -nokeys -out trust.pem`, then ssl.truststore.type=PEM and ssl.truststore.location=trust.pem',
    ]);
    expect(refused({ ...ssl, 'ssl.keystore.location': 'trust.jks' }, jks).join()).toContain('ssl.keystore.type=PKCS12');
    expect(refused({ ...ssl, 'ssl.truststore.location': 'trust-only.p12' }, files).join()).toContain(
      '`openssl pkcs12 -in trust-only.p12 -nokeys -out trust-only.pem`',
    );
    expect(refused({ ...ssl, 'ssl.truststore.location': 'cert.pem' }, files).join()).toContain(
      'ssl.truststore.type=PEM is needed',
    );
  });

  test('PKCS12 with certificates only is no keystore', () => {
    const ssl = {
      'security.protocol': 'SSL',
      'ssl.keystore.location': 'trust-only.p12',
      'ssl.keystore.password': 'opensesame',
    };
    expect(refused(ssl, files).join()).toContain('it has to hold a key');
  });
});
