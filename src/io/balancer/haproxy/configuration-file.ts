import { type ConfigurationLine, configurationLines } from './configuration-words.ts';

/** What haproxy.cfg says of one backend, with what it inherits from its `defaults` section. null: the line is not there. */
export type BackendConfiguration = {
  readonly mode: string | null;
  readonly algorithm: string | null;
  readonly cookie: boolean;
  readonly stickRules: boolean;
  readonly retryOn: readonly string[] | null;
  readonly abortOnClose: boolean;
  readonly redispatch: boolean;
  /** As `BackendTraits.bypasses`, each once. */
  readonly bypasses: readonly string[];
  readonly connectTimeout: string | null;
  readonly serverTimeout: string | null;
  /** By server name; servers of a `server-template` under the names that HAProxy gives them. */
  readonly servers: ReadonlyMap<string, ServerConfiguration>;
};

export type ServerConfiguration = { readonly disabled: boolean; readonly features: readonly string[] };

/** A `conditional` backend depends on `.if`, which only HAProxy itself can evaluate. */
export type ConfigurationResult = BackendConfiguration | 'absent' | 'conditional';

/** Reads one backend (or `listen`) out of the text of haproxy.cfg. Never throws: what it does not know it passes over. */
export function configurationOf(text: string, backend: string): ConfigurationResult {
  const sections = sectionsOf(configurationLines(text));
  const section = sections.find((candidate) => candidate.name === backend && servesBackends.has(candidate.kind));
  if (section === undefined) return 'absent';
  const chain = withDefaults(section, sections);
  if (chain.some((part) => part.conditional)) return 'conditional';
  return chain.flatMap((part) => part.lines).reduce(apply, emptyState()).facts;
}

type Section = {
  readonly kind: string;
  readonly name: string | null;
  /** The `defaults` section it inherits from. */
  readonly from: Section | null;
  readonly lines: (readonly string[])[];
  conditional: boolean;
};

const servesBackends = new Set(['backend', 'listen']);
const sectionKinds = new Set([
  ...['global', 'defaults', 'frontend', 'backend', 'listen', 'peers', 'resolvers', 'mailers', 'userlist', 'program'],
  ...['http-errors', 'cache', 'ring', 'fcgi-app', 'log-forward', 'log-profile', 'crt-store', 'traces', 'acme'],
]);

function sectionsOf(lines: readonly ConfigurationLine[]): Section[] {
  const sections: Section[] = [];
  let defaults: Section | null = null;
  let current: Section | null = null;
  for (const { words, conditional } of lines) {
    const [kind = '', name = null] = words;
    if (sectionKinds.has(kind)) {
      const from = baseOf(words, kind, sections, defaults);
      current = { kind, name: name === 'from' ? null : name, from, lines: [], conditional };
      sections.push(current);
      if (kind === 'defaults') defaults = current;
    } else if (current !== null) {
      current.lines.push(words);
      current.conditional ||= conditional;
    }
  }
  return sections;
}

/** `… from NAME` names the defaults; without it a proxy takes the last ones before it, and a `defaults` section none. */
function baseOf(
  words: readonly string[],
  kind: string,
  sections: readonly Section[],
  last: Section | null,
): Section | null {
  const from = words.indexOf('from');
  const named = from < 0 ? undefined : words[from + 1];
  if (named === undefined) return kind === 'defaults' ? null : last;
  return sections.findLast((section) => section.kind === 'defaults' && section.name === named) ?? null;
}

function withDefaults(section: Section, sections: readonly Section[]): Section[] {
  const chain: Section[] = [];
  for (let part: Section | null = section; part !== null && chain.length <= sections.length; part = part.from) {
    chain.unshift(part);
  }
  return chain;
}

/** `serverWords` are those of `default-server`, which count for the servers after it. */
type State = { readonly facts: BackendConfiguration; readonly serverWords: readonly string[] };

function emptyState(): State {
  return {
    serverWords: [],
    facts: {
      mode: null,
      algorithm: null,
      cookie: false,
      stickRules: false,
      retryOn: null,
      abortOnClose: false,
      redispatch: false,
      bypasses: [],
      connectTimeout: null,
      serverTimeout: null,
      servers: new Map(),
    },
  };
}

function apply(state: State, words: readonly string[]): State {
  const { facts, serverWords } = state;
  const [keyword, first = '', second = ''] = words;
  const where = (change: Partial<BackendConfiguration>) => ({ serverWords, facts: { ...facts, ...change } });
  switch (keyword) {
    case 'mode':
      return where({ mode: first });
    case 'balance':
      return where({ algorithm: first.replace(/\(.*$/, '') });
    case 'cookie':
      return where({ cookie: true });
    case 'persist':
      return first.startsWith('rdp-cookie') ? where({ cookie: true }) : state;
    case 'stick':
      return where({ stickRules: true });
    case 'retry-on':
      return where({ retryOn: words.slice(1) });
    case 'use-server':
      return where(withBypass(facts, `use-server ${first}`));
    case 'force-persist':
      return where(withBypass(facts, keyword));
    case 'http-response':
    case 'http-after-response':
      return otherAnswers.has(first) ? where(withBypass(facts, `${keyword} ${first}`)) : state;
    case 'option':
      return where(optionOf(facts, first, true));
    case 'no':
      return first === 'option' ? where(optionOf(facts, second, false)) : state;
    case 'timeout':
      return where(
        first === 'connect' ? { connectTimeout: second } : first === 'server' ? { serverTimeout: second } : {},
      );
    case 'default-server':
      return { facts, serverWords: [...serverWords, ...words.slice(1)] };
    case 'server':
      return where({
        servers: new Map([...facts.servers, [first, serverOf([...serverWords, ...words.slice(3)], [])]]),
      });
    case 'server-template': {
      const server = serverOf([...serverWords, ...words.slice(4)], ['server-template']);
      return where({
        servers: new Map([...facts.servers, ...templateNames(first, second).map((name) => [name, server] as const)]),
      });
    }
    default:
      return state;
  }
}

function optionOf(facts: BackendConfiguration, name: string, value: boolean): Partial<BackendConfiguration> {
  switch (name) {
    case 'abortonclose':
      return { abortOnClose: value };
    case 'redispatch':
      return { redispatch: value };
    case 'persist':
      return value
        ? withBypass(facts, 'option persist')
        : { bypasses: facts.bypasses.filter((rule) => rule !== 'option persist') };
    default:
      return {};
  }
}

function withBypass({ bypasses }: BackendConfiguration, rule: string): Partial<BackendConfiguration> {
  return { bypasses: [...new Set([...bypasses, rule])] };
}

/** Later words win, as `no-…`, `enabled` and `slowstart 0` take back what `default-server` said. */
function serverOf(words: readonly string[], features: readonly string[]): ServerConfiguration {
  const found = new Set(features);
  let disabled = false;
  for (const [at, word] of words.entries()) {
    if (word === 'slowstart' && durationMs(words[at + 1] ?? '') === 0) found.delete(word);
    else if (serverFeatures.has(word)) found.add(word);
    else if (word.startsWith('no-')) found.delete(word.slice(3));
    else if (word === 'disabled') disabled = true;
    else if (word === 'enabled') disabled = false;
  }
  return { disabled, features: [...found] };
}

/** Actions of a response rule after which users get another status than the server's, which is the one that is counted. */
const otherAnswers = new Set(['set-status', 'return', 'deny']);

const serverFeatures = new Set(['backup', 'track', 'agent-check', 'cookie', 'slowstart', 'observe']);

/** `server-template web 3` and `server-template web 1-3` make web1, web2, web3. */
function templateNames(prefix: string, range: string): string[] {
  const [, first, last] = /^(?:(\d+)-)?(\d+)$/.exec(range) ?? [];
  if (last === undefined) return [];
  const from = Number(first ?? 1);
  const count = Math.min(Number(last) - from + 1, templateServersMax);
  return Array.from({ length: Math.max(0, count) }, (_, at) => `${prefix}${from + at}`);
}

const templateServersMax = 100_000;

/** HAProxy's durations: a number in milliseconds, or with a unit. null: not one (an environment variable, say). */
export function durationMs(text: string): number | null {
  const [, count, unit = 'ms'] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text) ?? [];
  const factor = unitMs[unit];
  return count === undefined || factor === undefined ? null : Math.ceil(Number(count) * factor);
}

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
