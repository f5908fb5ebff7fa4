import type { TlsSettings } from '../connection/open-socket.ts';
import type { SaslCredentials } from '../connection/sasl.ts';
import { Given, type ReadBytes } from './given.ts';
import { JaasRefused, parseJaas } from './jaas.ts';
import { type PropertiesProblem, parseProperties } from './properties-syntax.ts';
import { tlsOf } from './tls-properties.ts';

/** What the file that Kafka's own tools take as `--command-config` says, for connections of ours. */
export type ClientProperties = {
  readonly tls: TlsSettings | null;
  readonly sasl: SaslCredentials | null;
  readonly clientId: string | null;
  /** What a person should know: keys without an effect, checks that are left out. */
  readonly notes: readonly string[];
};

/** Either all of it can be used, or every problem is told with its line. No message has a secret in it. */
export function clientProperties(
  text: string,
  read: ReadBytes,
): { readonly properties: ClientProperties } | { readonly problems: readonly PropertiesProblem[] } {
  const { entries, problems: malformed } = parseProperties(text);
  const given = new Given(entries, malformed);
  const protocol = protocolOf(given);
  const sasl = protocol.sasl ? saslOf(given) : null;
  const tls = protocol.tls ? tlsOf(given, read) : null;
  given.noteUnused(protocol);
  if (given.problems.length > 0) return { problems: given.problems.toSorted((one, other) => one.line - other.line) };
  return { properties: { tls, sasl, clientId: given.value('client.id'), notes: given.notes } };
}

type Protocol = { readonly name: string; readonly tls: boolean; readonly sasl: boolean };

const protocols: readonly Protocol[] = [
  { name: 'PLAINTEXT', tls: false, sasl: false },
  { name: 'SSL', tls: true, sasl: false },
  { name: 'SASL_PLAINTEXT', tls: false, sasl: true },
  { name: 'SASL_SSL', tls: true, sasl: true },
];

function protocolOf(given: Given): Protocol {
  const name = given.value('security.protocol') ?? 'PLAINTEXT';
  const found = protocols.find((one) => one.name === name.toUpperCase());
  if (found !== undefined) return found;
  given.problem('security.protocol', `expected one of ${protocols.map((one) => one.name).join(', ')}`);
  // What is given was meant for something: all that is wrong with it is told at once.
  return { name, tls: given.hasAny('ssl.'), sasl: given.hasAny('sasl.') };
}

const modules = {
  PLAIN: 'org.apache.kafka.common.security.plain.PlainLoginModule',
  'SCRAM-SHA-256': 'org.apache.kafka.common.security.scram.ScramLoginModule',
  'SCRAM-SHA-512': 'org.apache.kafka.common.security.scram.ScramLoginModule',
} as const;
type Mechanism = keyof typeof modules;

function isMechanism(name: string): name is Mechanism {
  return Object.hasOwn(modules, name);
}

function saslOf(given: Given): SaslCredentials | null {
  // What clients of Kafka take where nothing is said is GSSAPI.
  const mechanism = given.value('sasl.mechanism') ?? 'GSSAPI';
  const known = isMechanism(mechanism);
  if (!known) {
    const which = given.has('sasl.mechanism')
      ? 'this one is not spoken'
      : 'not given means GSSAPI, which is not spoken';
    const remedy = `${which}: Drover speaks ${Object.keys(modules).join(', ')}; give its user a SCRAM credential`;
    given.problem('sasl.mechanism', remedy);
  }
  const text = given.value('sasl.jaas.config');
  if (text === null) {
    const example = `${modules[known ? mechanism : 'SCRAM-SHA-512']} required username="…" password="…";`;
    given.problem(
      'sasl.jaas.config',
      `it has to name the user, in one line: ${example} A JAAS file of Java is not read`,
    );
    return null;
  }
  return known ? credentialsOf(given, mechanism, text) : null;
}

function credentialsOf(given: Given, mechanism: Mechanism, text: string): SaslCredentials | null {
  try {
    const { module, options } = parseJaas(text);
    const [username, password] = [options.get('username'), options.get('password')];
    const expected = modules[mechanism];
    if (module !== expected) throw new JaasRefused(`${mechanism} needs ${expected}`);
    if (options.get('tokenauth') === 'true')
      throw new JaasRefused('delegation tokens are not spoken: name a user and its password');
    if (username === undefined || username === '') throw new JaasRefused('there is no username="…"');
    if (password === undefined) throw new JaasRefused('there is no password="…"');
    return { mechanism, username, password };
  } catch (error) {
    if (!(error instanceof JaasRefused)) throw error;
    given.problem('sasl.jaas.config', error.message);
    return null;
  }
}
