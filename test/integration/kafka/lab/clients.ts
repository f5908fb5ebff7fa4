import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { type Listener, type Mechanism, protocolOf, user, usesSasl, usesTls } from './listeners.ts';
import { type Properties, propertiesText, quoted } from './settings.ts';

/** What Kafka's own clients are told to reach a listener: the content of a `--command-config` file. */
function clientProperties(listener: Listener, certificates: Certificates | null, mechanism: Mechanism): Properties {
  const login = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
  const words = `required username="${user.name}" password="${quoted(user.password)}"`;
  return {
    'security.protocol': protocolOf(listener),
    ...(usesSasl(listener) && {
      'sasl.mechanism': mechanism,
      'sasl.jaas.config': `org.apache.kafka.common.security.${login} ${words};`,
    }),
    ...(usesTls(listener) &&
      certificates !== null && {
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': certificates.authority,
      }),
  };
}

/** The same for librdkafka. */
export function librdkafkaProperties(
  listener: Listener,
  certificates: Certificates | null,
  mechanism: Mechanism,
): Properties {
  return {
    'security.protocol': protocolOf(listener),
    ...(usesSasl(listener) && {
      'sasl.mechanisms': mechanism,
      'sasl.username': user.name,
      'sasl.password': user.password,
    }),
    ...(usesTls(listener) && certificates !== null && { 'ssl.ca.location': certificates.authority }),
  };
}

let written = 0;

/** Writes Kafka's form of them, and `more`, to a file, and returns its path. */
export async function writeClientProperties(
  folder: string,
  certificates: Certificates | null,
  listener: Listener,
  mechanism: Mechanism,
  more: Properties,
): Promise<string> {
  const path = join(folder, `client-${++written}-${listener}.properties`);
  await writeFile(path, propertiesText({ ...clientProperties(listener, certificates, mechanism), ...more }));
  return path;
}
