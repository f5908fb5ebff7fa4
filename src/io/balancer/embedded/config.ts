import { z } from 'zod';
import { isServerName } from '../../../core/observed/server-name.ts';

/**
 * The file with which the process of the embedded balancer is started (JSON). What is left out has the value shown here;
 * unknown keys are errors. `listen` and `address` are `host:port`; a `listen` of only a port means this machine alone.
 */
const serverSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.:-]+$/u, 'a server name has letters, digits and . _ - : only')
    .refine(isServerName, 'facts cannot be kept under this name'),
  address: z.string().transform(address(1)),
  /** The configured weight, which a restart brings back. */
  weight: z.int().min(0).max(256).default(100),
  admin: z.enum(['ready', 'drain', 'maint']).default('ready'),
});

const checkSchema = z.strictObject({
  path: z.string().startsWith('/'),
  intervalMs: z.int().min(10).default(1000),
  timeoutMs: z.int().min(1).default(1000),
  /** Consecutive successes before a server that was down is up, consecutive failures before it is down. */
  rise: z.int().min(1).default(2),
  fall: z.int().min(1).default(3),
});

const backendSchema = z.strictObject({
  name: z.string().min(1),
  listen: z.string().transform(address(0)),
  servers: z.array(serverSchema).min(1),
  check: checkSchema.nullable().default(null),
  /** After so many connections that failed in a row, a server gets nothing for so long (with a check: until it passes). */
  ejection: z
    .strictObject({ connectFailures: z.int().min(1).default(3), ms: z.int().min(1).default(1000) })
    .default({ connectFailures: 3, ms: 1000 }),
  connectMsMax: z.int().min(1).default(5000),
  /** From the request to the response's head, and between two pieces of the response's body. */
  responseMsMax: z.int().min(1).default(30_000),
  /** How often a request that a server took and did not answer is sent to another one. */
  retriesMax: z.int().min(0).default(3),
});

const configSchema = z
  .strictObject({
    name: z.string().regex(/^[\w.-]+$/u, 'a name has letters, digits and . _ - only'),
    /** Path of the control socket. */
    socket: z.string().min(1).max(103, 'a UNIX socket path has at most 103 bytes'),
    backends: z.array(backendSchema).min(1),
  })
  .superRefine((config, context) => {
    for (const backend of config.backends) noTwice(backend.servers, `servers of backend ${backend.name}`, context);
    noTwice(config.backends, 'backends', context);
  });

/** What a caller writes. */
export type EmbeddedConfig = z.input<typeof configSchema>;
/** What the process runs on: complete. */
export type ParsedConfig = z.output<typeof configSchema>;
export type BackendConfig = ParsedConfig['backends'][number];
export type ServerConfig = BackendConfig['servers'][number];
export type CheckConfig = NonNullable<BackendConfig['check']>;
export type Address = { readonly host: string; readonly port: number };

/** Throws an Error that names every problem with its path. `where` is the file or the caller. */
export function parseEmbeddedConfig(value: unknown, where: string): ParsedConfig {
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new Error(`${where} is not a configuration of the embedded balancer:\n${problems.join('\n')}`);
}

export function hostPort({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function address(portMin: number) {
  return (text: string, context: z.RefinementCtx): Address => {
    const match = /^(?:(?<host>[^:[\]\s/]+|\[[0-9a-fA-F:.]+\]):)?(?<port>\d{1,5})$/u.exec(text);
    const port = Number(match?.groups?.port ?? Number.NaN);
    if (port >= portMin && port <= 65_535) {
      return { host: (match?.groups?.host ?? '127.0.0.1').replace(/^\[|\]$/gu, ''), port };
    }
    context.addIssue({ code: 'custom', message: `expected host:port or a port, found ${JSON.stringify(text)}` });
    return z.NEVER;
  };
}

function noTwice(named: readonly { readonly name: string }[], what: string, context: z.RefinementCtx): void {
  const names = named.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) context.addIssue({ code: 'custom', message: `${what}: ${twice.join(', ')} is there twice` });
}
