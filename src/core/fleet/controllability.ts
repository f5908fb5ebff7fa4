import type { BackendTraits, ServerReading } from '../observed/backend.ts';
import type { Reading } from '../observed/reading.ts';

/** Something about a backend that breaks its share or hides its errors. */
export type Finding = {
  readonly rule: FindingRule;
  /** `refuse`: no rollout starts with it. `warn`: it starts, and this is said. */
  readonly severity: 'refuse' | 'warn';
  readonly what: string;
  /** What it does to a rollout, with figures where they were measured. */
  readonly why: string;
  readonly remedy: string;
};

export type FindingRule =
  | 'read-only'
  | 'mode'
  | 'algorithm'
  | 'stickiness'
  | 'retry-on'
  | 'abort-on-close'
  | 'unknown'
  | 'backup'
  | 'track'
  | 'agent-check'
  | 'server-template'
  | 'not-in-configuration'
  | 'use-server'
  | 'persist'
  | 'prefer-last-server'
  | 'set-status'
  | 'slowstart'
  | 'observe'
  | 'maxconn';

/**
 * What a rollout would suffer from at one backend. `servers` are those of the two groups; others do not matter. Unequal
 * weights are no finding: within a group they keep their ratios. The figures were measured on HAProxy 2.6.12 with 10
 * destination and 50 origin servers on loopback: orders of magnitude, not promises.
 */
export function controllability(
  traits: BackendTraits,
  servers: readonly Pick<ServerReading, 'name' | 'features'>[],
): Finding[] {
  return [
    ...readOnlyFindings(traits.readOnly),
    ...modeFindings(traits.mode),
    ...algorithmFindings(traits.algorithm),
    ...stickinessFindings(traits),
    ...retryFindings(traits.retryOn),
    ...abortFindings(traits.abortOnClose),
    ...bypassFindings(traits.bypasses, servers),
    ...unknownFindings(traits),
    ...serverFindings(servers),
  ];
}

function readOnlyFindings(readOnly: BackendTraits['readOnly']): Finding[] {
  if (!readOnly.known) {
    const remedy = '`drover doctor` asks each socket what it allows.';
    const what = 'whether weights and states can be written is unknown';
    return [{ rule: 'read-only', severity: 'warn', what, why: `${readOnly.why}.`, remedy }];
  }
  if (readOnly.value === null) return [];
  return [{ rule: 'read-only', severity: 'refuse', what: 'weights and states cannot be written', ...readOnly.value }];
}

function modeFindings(mode: BackendTraits['mode']): Finding[] {
  if (mode.known && mode.value === 'http') return [];
  const finding = {
    rule: 'mode',
    severity: 'refuse',
    remedy: 'Set `mode http` in this backend and its frontends.',
  } as const;
  if (!mode.known) return [{ ...finding, what: 'the mode of the backend is unknown', why: sentence(mode.why) }];
  return [
    {
      ...finding,
      what: 'mode tcp',
      why: 'Connections are balanced, not requests: of 120 long connections not one moved after new weights or drain. Responses are not counted, so failures cannot be seen.',
    },
  ];
}

/** A reason for not knowing begins and ends as it likes; here something follows it. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function algorithmFindings(algorithm: Reading<string>): Finding[] {
  const finding = {
    rule: 'algorithm',
    severity: 'refuse',
    remedy: 'Set `balance roundrobin` in this backend.',
  } as const;
  if (!algorithm.known) {
    const remedy = 'Give haproxy.cfg, and a socket of level operator or admin.';
    return [{ ...finding, what: 'the balancing algorithm is unknown', why: sentence(algorithm.why), remedy }];
  }
  const name = algorithm.value;
  if (name === 'roundrobin') return [];
  const what = `balance ${name}`;
  if (name === 'random') {
    const why =
      'It prefers the less busy of two servers. Weights hold while both groups are equally fast (5.4 % for 5 %), but a destination that failed fast drew 29.5 % where 16.7 % was asked for.';
    return [{ ...finding, severity: 'warn', what, why }];
  }
  return [{ ...finding, what, why: effectOf(name) }];
}

function effectOf(algorithm: string): string {
  switch (algorithm) {
    case 'leastconn':
      return 'Idle servers count as equal whatever their weight: 5 % became 4.4 %, 10.8 % or 16.7 % depending on concurrency. A destination that failed fast drew 72 to 77 % of all traffic.';
    case 'static-rr':
      return 'Weights cannot be changed while it runs, except to 0 % and 100 %: 5 % stayed at 16.7 %.';
    case 'first':
      return 'Servers are filled one after the other, whatever their weight.';
    default:
      if (hashes.has(algorithm)) {
        return 'A hash picks the server: the share follows who calls and for what, each new weight moves other callers, and the groups serve different ones, so that they cannot be compared.';
      }
      return 'Drover does not know this algorithm, so it cannot say that weights make the share.';
  }
}

const hashes = new Set(['source', 'uri', 'url_param', 'hdr', 'rdp-cookie', 'hash']);

function stickinessFindings({ stickiness, algorithm }: BackendTraits): Finding[] {
  if (!stickiness.known || stickiness.value === null) return [];
  if (stickiness.value === 'hash' && algorithm.known && hashes.has(algorithm.value)) return [];
  return [
    {
      rule: 'stickiness',
      severity: 'refuse',
      what: `clients stick to their server (${stickiness.value})`,
      why: 'Weights reach new clients only: after 5 % was asked for, known clients stayed at 16.7 %, and drain left them there too; only maint moved them. Old clients compared with new ones say nothing about the builds.',
      remedy: 'Keep sessions outside the servers and remove the `cookie` or `stick` lines from this backend.',
    },
  ];
}

function retryFindings(retryOn: BackendTraits['retryOn']): Finding[] {
  if (!retryOn.known) return [];
  const hiding = retryOn.value.filter((condition) => /^5\d\d$/.test(condition) || condition === 'all-retryable-errors');
  if (hiding.length === 0) return [];
  return [
    {
      rule: 'retry-on',
      severity: 'warn',
      what: `retry-on ${hiding.join(' ')}`,
      why: 'Failed answers are asked for again and vanish: a destination that answered nothing but 500 showed one of them in 3,054 attempts. Drover counts each attempt, so it judges more strictly than users feel, and a bad build multiplies the load.',
      remedy: 'Remove these conditions while services are moved, or accept that attempts are judged, not users.',
    },
  ];
}

function abortFindings(abortOnClose: Reading<boolean>): Finding[] {
  if (!abortOnClose.known || !abortOnClose.value) return [];
  return [
    {
      rule: 'abort-on-close',
      severity: 'warn',
      what: 'option abortonclose',
      why: 'A client that gives up ends its request, which then looks like a failure of the server. Both groups are judged alike, but the absolute guard (the objective) is switched off.',
      remedy: 'Set `no option abortonclose` in this backend if the objective is to be guarded.',
    },
  ];
}

/** `servers` are those of the two groups: a rule that picks another one takes nothing from the share. */
function bypassFindings(bypasses: BackendTraits['bypasses'], servers: readonly { readonly name: string }[]): Finding[] {
  if (!bypasses.known) return [];
  const rulesOf = (words: RegExp) => bypasses.value.filter((rule) => words.test(rule));
  // A name that is computed for each request may be any.
  const isOurs = (rule: string) => /[%$]/.test(rule) || servers.some(({ name }) => rule === `use-server ${name}`);
  const found: readonly (readonly [readonly string[], Omit<Finding, 'what'>])[] = [
    [rulesOf(/^use-server /).filter(isOurs), usesServer],
    [rulesOf(/persist$/), persists],
    [rulesOf(/prefer-last-server$/), prefersLast],
    [rulesOf(/ (set-status|return|deny)$/), setsStatus],
  ];
  return found.flatMap(([rules, finding]) => (rules.length === 0 ? [] : [{ ...finding, what: abridged(rules) }]));
}

const usesServer: Omit<Finding, 'what'> = {
  rule: 'use-server',
  severity: 'refuse',
  why: 'The rule picks the server, whatever the weights say: of 40 requests all 40 went to a server of weight 0, and none of them was counted as an attempt.',
  remedy:
    'Remove the `use-server` lines that name servers of the two groups, or give those requests a backend of their own.',
};

const persists: Omit<Finding, 'what'> = {
  rule: 'persist',
  severity: 'warn',
  why: 'Requests that are bound to a server (by a cookie, a stick rule, `use-server`) reach it even in maint, so that the way back cannot take them from it: all 40 of 40 stayed. What binds them is refused by itself; without it this line does nothing.',
  remedy: 'Remove it from this backend or its defaults (`no option persist`) while services are moved.',
};

const prefersLast: Omit<Finding, 'what'> = {
  rule: 'prefer-last-server',
  severity: 'warn',
  why: 'A client that keeps its connection stays with the server that it had, wherever connections to servers are not shared between clients (`http-reuse never`, NTLM): of 60 requests/s the destination got none for 25 s at a share of 50 %, and then all of 180.',
  remedy: 'Remove it from this backend or its defaults (`no option prefer-last-server`) while services are moved.',
};

const setsStatus: Omit<Finding, 'what'> = {
  rule: 'set-status',
  severity: 'warn',
  why: 'Users get another status than the server gave. Drover counts what the server gave: an answer of 500 that becomes 200 stays a failure, so it judges more strictly than users feel; a 200 that becomes 500 is no failure to it.',
  remedy:
    'Remove the rule while services are moved, or accept that answers of servers are judged, not those that users get.',
};

/** Traits that hide errors and could not be read, together where the reason is the same. */
function unknownFindings(traits: BackendTraits): Finding[] {
  const named: readonly (readonly [string, Reading<unknown>])[] = [
    ['stickiness', traits.stickiness],
    ['retry-on', traits.retryOn],
    ['option abortonclose', traits.abortOnClose],
    ['rules such as use-server', traits.bypasses],
    ['the time-outs', traits.attemptMsMax],
  ];
  const byReason = new Map<string, string[]>();
  for (const [name, reading] of named) {
    if (!reading.known) byReason.set(reading.why, [...(byReason.get(reading.why) ?? []), name]);
  }
  return [...byReason].map(([why, names]) => ({
    rule: 'unknown',
    severity: 'warn',
    what: `unknown: ${names.join(', ')}`,
    why: `${why.charAt(0).toUpperCase()}${why.slice(1)}. What is not known may bend the share or hide failures.`,
    remedy: 'Name haproxy.cfg in the configuration (`config:`) or with --config, where this user can read it.',
  }));
}

function serverFindings(servers: readonly Pick<ServerReading, 'name' | 'features'>[]): Finding[] {
  return serverRules.flatMap((finding) => {
    const names = servers.filter((server) => server.features.includes(finding.rule)).map((server) => server.name);
    return names.length === 0 ? [] : [{ ...finding, what: `${finding.what}: ${abridged(names)}` }];
  });
}

const serverRules: readonly Finding[] = [
  {
    rule: 'backup',
    severity: 'refuse',
    what: 'backup servers',
    why: 'They get nothing while another server is up, so their weight makes no share.',
    remedy: 'Remove `backup` from the servers of both groups; weight 0 keeps a group waiting.',
  },
  {
    rule: 'track',
    severity: 'refuse',
    what: 'servers that track another',
    why: 'Health and maintenance are inherited, so that one command moves several servers and the way back cannot leave each as it was found.',
    remedy: 'Give each server a `check` of its own instead of `track`.',
  },
  {
    rule: 'agent-check',
    severity: 'refuse',
    what: 'servers with an agent check',
    why: 'The agent writes weights and states too: the share is no longer what was asked for, and a way back may be undone.',
    remedy:
      'Switch the agents of these servers off while the service is moved (`disable agent`), or remove `agent-check`.',
  },
  {
    rule: 'server-template',
    severity: 'warn',
    what: 'servers made by a server-template',
    why: 'Their names are slots that name resolution fills: which machine stands behind a name can change during a step.',
    remedy: 'Let `build: { http: … }` tell what each instance runs, so that a change is seen.',
  },
  {
    rule: 'slowstart',
    severity: 'warn',
    what: 'servers with a slow start',
    why: 'A server that leaves maint or comes up again gets its weight little by little: with `slowstart 60s` it drew 5.8 % where 50 % was asked for. It counts as starting until that is over, and what needs it waits: after the drill, and after each repair.',
    remedy: 'Remove `slowstart` from the servers of both groups, or set `settle` longer than it.',
  },
  {
    rule: 'observe',
    severity: 'warn',
    what: 'servers that errors in traffic take out (observe)',
    why: 'Failing answers count as failed checks, or mark the server down (`on-error`): with `on-error mark-down` and `error-limit 5` a server that answered nothing but 500 got 5 of 40 requests. So a bad build withdraws from what is judged and returns with the next good check, and the share is not what was asked for.',
    remedy:
      'Remove `observe` from the servers of both groups while the service is moved; the judge watches the same answers.',
  },
  {
    rule: 'maxconn',
    severity: 'warn',
    what: 'servers with a maxconn',
    why: 'Once all of them are busy requests wait, and the next goes to whoever is free first, whatever its weight: of 40 requests at once a server that refused connections drew 38, and one that answered 20 ms later than the other 6.',
    remedy:
      'Keep `maxconn` of the servers of both groups above what they are ever given at once, so that nothing queues.',
  },
  {
    rule: 'not-in-configuration',
    severity: 'warn',
    what: 'servers that are not in haproxy.cfg',
    why: 'They were added while HAProxy ran; a reload removes them and all that was moved to them.',
    remedy: 'Write their `server` lines into haproxy.cfg, with weight 0 for the destination.',
  },
];

function abridged(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
