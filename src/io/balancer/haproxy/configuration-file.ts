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
  const chain = withDefaults(section);
  if (chain.some((part) => part.conditional)) return 'conditional';
  const draft = emptyDraft();
  for (const { lines } of chain) for (const words of lines) apply(draft, words);
  const { defaultServer: _, templates: __, bypasses, ...facts } = draft;
  return { ...facts, bypasses: [...bypasses] };
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

/** In one pass: a file of any length takes time in proportion to it. */
function sectionsOf(lines: readonly ConfigurationLine[]): Section[] {
  const sections: Section[] = [];
  const namedDefaults = new Map<string, Section>();
  let defaults: Section | null = null;
  let current: Section | null = null;
  for (const { words, conditional } of lines) {
    const [kind = '', name = null] = words;
    if (sectionKinds.has(kind)) {
      const from = baseOf(words, kind, namedDefaults, defaults);
      current = { kind, name: name === 'from' ? null : name, from, lines: [], conditional };
      sections.push(current);
      if (kind !== 'defaults') continue;
      defaults = current;
      if (current.name !== null) namedDefaults.set(current.name, current);
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
  named: ReadonlyMap<string, Section>,
  last: Section | null,
): Section | null {
  const from = words.indexOf('from');
  const name = from < 0 ? undefined : words[from + 1];
  if (name === undefined) return kind === 'defaults' ? null : last;
  return named.get(name) ?? null;
}

/** The outermost defaults first. A section inherits from earlier ones only, so there is no circle. */
function withDefaults(section: Section): Section[] {
  const chain: Section[] = [];
  for (let part: Section | null = section; part !== null; part = part.from) chain.push(part);
  return chain.reverse();
}

/** What is gathered line by line; later lines win. */
type Draft = {
  -readonly [name in Exclude<keyof BackendConfiguration, 'bypasses' | 'servers'>]: BackendConfiguration[name];
} & {
  readonly bypasses: Set<string>;
  readonly servers: Map<string, ServerConfiguration>;
  /** What `default-server` says, for the servers after it. */
  defaultServer: ServerConfiguration;
  /** How many servers templates have made: a short line makes many. */
  templates: number;
};

function emptyDraft(): Draft {
  return {
    mode: null,
    algorithm: null,
    cookie: false,
    stickRules: false,
    retryOn: null,
    abortOnClose: false,
    redispatch: false,
    connectTimeout: null,
    serverTimeout: null,
    bypasses: new Set(),
    servers: new Map(),
    defaultServer: { disabled: false, features: [] },
    templates: 0,
  };
}

function apply(draft: Draft, words: readonly string[]): void {
  const [keyword, first = '', second = ''] = words;
  switch (keyword) {
    case 'mode':
      draft.mode = first;
      break;
    case 'balance':
      draft.algorithm = first.replace(/\(.*$/, '');
      break;
    case 'cookie':
      draft.cookie = true;
      break;
    case 'persist':
      if (first.startsWith('rdp-cookie')) draft.cookie = true;
      break;
    case 'stick':
      draft.stickRules = true;
      break;
    case 'retry-on':
      draft.retryOn = words.slice(1);
      break;
    case 'use-server':
      draft.bypasses.add(`use-server ${first}`);
      break;
    case 'force-persist':
      draft.bypasses.add(keyword);
      break;
    case 'http-response':
    case 'http-after-response':
      if (otherAnswers.has(first)) draft.bypasses.add(`${keyword} ${first}`);
      break;
    case 'option':
      setOption(draft, first, true);
      break;
    case 'no':
      if (first === 'option') setOption(draft, second, false);
      break;
    case 'timeout':
      if (first === 'connect') draft.connectTimeout = second;
      if (first === 'server') draft.serverTimeout = second;
      break;
    case 'default-server':
      draft.defaultServer = serverOf(draft.defaultServer, words.slice(1));
      break;
    case 'server':
      draft.servers.set(first, serverOf(draft.defaultServer, words.slice(3)));
      break;
    case 'server-template':
      addTemplate(draft, first, second, serverOf(draft.defaultServer, words.slice(4)));
      break;
    default:
  }
}

function setOption(draft: Draft, name: string, value: boolean): void {
  if (name === 'abortonclose') draft.abortOnClose = value;
  if (name === 'redispatch') draft.redispatch = value;
  if (name !== 'persist' && name !== 'prefer-last-server') return;
  if (value) draft.bypasses.add(`option ${name}`);
  else draft.bypasses.delete(`option ${name}`);
}

/** Later words win, as `no-…`, `enabled`, `slowstart 0` and `maxconn 0` take back what `default-server` said. */
function serverOf(defaults: ServerConfiguration, words: readonly string[]): ServerConfiguration {
  const found = new Set(defaults.features);
  let { disabled } = defaults;
  for (const [at, word] of words.entries()) {
    if (word === 'slowstart' && durationMs(words[at + 1] ?? '') === 0) found.delete(word);
    else if (word === 'maxconn' && words[at + 1] === '0') found.delete(word);
    else if (serverFeatures.has(word)) found.add(word);
    else if (word.startsWith('no-')) found.delete(word.slice(3));
    else if (word === 'disabled') disabled = true;
    else if (word === 'enabled') disabled = false;
  }
  return { disabled, features: [...found] };
}

/** Actions of a response rule after which users get another status than the server's, which is the one that is counted. */
const otherAnswers = new Set(['set-status', 'return', 'deny']);

const serverFeatures = new Set(['backup', 'track', 'agent-check', 'cookie', 'slowstart', 'observe', 'maxconn']);

/** `server-template web 3` and `server-template web 1-3` make web1, web2, web3. */
function addTemplate(draft: Draft, prefix: string, range: string, server: ServerConfiguration): void {
  const [, first = '1', last] = /^(?:(\d{1,9})-)?(\d{1,9})$/.exec(range) ?? [];
  if (last === undefined) return;
  const made = { ...server, features: ['server-template', ...server.features] };
  for (let number = Number(first); number <= Number(last) && draft.templates < templateServersMax; number++) {
    draft.servers.set(`${prefix}${number}`, made);
    draft.templates++;
  }
}

const templateServersMax = 100_000;

/** HAProxy's durations: a number in milliseconds, or with a unit. null: not one (an environment variable, or longer than it takes). */
export function durationMs(text: string): number | null {
  const [, count, unit = 'ms'] = /^(\d{1,15})(us|ms|s|m|h|d)?$/.exec(text) ?? [];
  const factor = unitMs[unit];
  const ms = count === undefined || factor === undefined ? Number.NaN : Math.ceil(Number(count) * factor);
  return ms <= durationMsMax ? ms : null;
}

/** HAProxy refuses time-outs above this. */
const durationMsMax = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
