import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchOpenssl } from '../../../../scripts/fetch/openssl.ts';
import { run } from './running.ts';

export type Certificates = {
  /** PEM. */
  readonly authority: string;
  /** Key and certificate in PKCS12, under `password`: Kafka 2.8 takes no PEM without one. */
  readonly broker: string;
  /** Key and certificate in PEM, and the same in PKCS12 under `password`. */
  readonly client: string;
  readonly clientPkcs12: string;
  readonly password: string;
};

const password = 'pkcs12-secret';

/** An authority of its own, a certificate for brokers at `address` and one for clients, good for two days. */
export async function makeCertificates(
  folder: string,
  address: string,
  environment: Readonly<Record<string, string>>,
): Promise<Certificates> {
  const path = await fetchOpenssl();
  const at = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) =>
    run({ name: 'openssl', path, args, environment }, { timeLimitMs: 30_000 });
  await writeFile(at('openssl.cnf'), configuration(address));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-config', at('openssl.cnf')];
  const authority = ['-x509', '-extensions', 'authority', '-subj', '/CN=authority'];
  await openssl('req', ...key, ...authority, '-days', '2', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  for (const name of ['broker', 'client']) {
    const [secret, request, signed] = [at(`${name}.key`), at(`${name}.csr`), at(`${name}.crt`)];
    await openssl('req', ...key, '-new', '-subj', `/CN=${name}`, '-keyout', secret, '-out', request);
    const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
    const extensions = ['-extfile', at('openssl.cnf'), '-extensions', name];
    await openssl('x509', '-req', '-in', request, ...signer, ...extensions, '-out', signed);
    await writeFile(at(`${name}.pem`), await both(secret, signed));
    const stored = ['-passout', `pass:${password}`, '-out', at(`${name}.p12`)];
    await openssl('pkcs12', '-export', '-in', at(`${name}.pem`), '-certfile', at('ca.pem'), ...stored);
  }
  return {
    authority: at('ca.pem'),
    broker: at('broker.p12'),
    client: at('client.pem'),
    clientPkcs12: at('client.p12'),
    password,
  };
}

async function both(...files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('');
}

function configuration(address: string): string {
  return [
    '[req]',
    'distinguished_name = name',
    '[name]',
    '[authority]',
    'basicConstraints = critical, CA:true',
    'keyUsage = critical, keyCertSign',
    '[broker]',
    'basicConstraints = CA:false',
    `subjectAltName = IP:${address}`,
    '[client]',
    'basicConstraints = CA:false',
    'extendedKeyUsage = clientAuth',
    '',
  ].join('\n');
}
