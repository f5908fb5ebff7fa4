import { z } from 'zod';
import type { BackendReading } from '../../../core/observed/backend.ts';

/**
 * The language of the control socket: one JSON object a line, requests answered in the order in which they came.
 *
 *   → {"id":1,"op":"weights","backend":"web","weights":{"vpc-1":10}}
 *   ← {"id":1,"result":null}        or        {"id":1,"error":{"code":"not-found","message":"…"}}
 */
const state = z.enum(['ready', 'drain', 'maint']);

/** By name. zod's own record passes over a key `__proto__` as if it were not there: what was asked for would not be done. */
const byName = <T extends z.ZodType>(value: T) =>
  z
    .unknown()
    .refine((record) => typeof record !== 'object' || record === null || !Object.hasOwn(record, '__proto__'), {
      message: 'no name is __proto__',
    })
    .pipe(z.record(z.string(), value));
const requestSchema = z.discriminatedUnion('op', [
  z.strictObject({ id: z.int(), op: z.literal('hello') }),
  z.strictObject({ id: z.int(), op: z.literal('stop') }),
  z.strictObject({ id: z.int(), op: z.literal('read'), backend: z.string() }),
  z.strictObject({ id: z.int(), op: z.literal('attempts'), backend: z.string(), servers: z.array(z.string()) }),
  z.strictObject({
    id: z.int(),
    op: z.literal('weights'),
    backend: z.string(),
    weights: byName(z.int().min(0).max(256)),
  }),
  z.strictObject({
    id: z.int(),
    op: z.literal('configured'),
    configHash: z.string(),
    /** Backend → server → configured weight. */
    weights: byName(byName(z.int().min(0).max(256))),
  }),
  z.strictObject({ id: z.int(), op: z.literal('states'), backend: z.string(), states: byName(state) }),
]);
export type ControlRequest = z.infer<typeof requestSchema>;
/** A request before it has its number. */
export type ControlCall = ControlRequest extends infer Request
  ? Request extends { readonly id: number }
    ? Omit<Request, 'id'>
    : never
  : never;

const replySchema = z.union([
  z.strictObject({ id: z.int(), result: z.unknown() }),
  z.strictObject({
    id: z.int().nullable(),
    error: z.strictObject({ code: z.enum(['not-found', 'refused', 'protocol']), message: z.string() }),
  }),
]);
export type ControlReply = z.infer<typeof replySchema>;

const helloSchema = z.strictObject({
  pid: z.int(),
  startedAtMs: z.int(),
  /** Made anew by every process: tells it from another one that has inherited its pid. */
  token: z.string(),
  configHash: z.string(),
  /** Backend → `host:port` on which it listens. */
  listening: byName(z.string()),
});
export type Hello = z.infer<typeof helloSchema>;

const count = z.int().min(0);
const reading = <T extends z.ZodType>(value: T) =>
  z.union([
    z.strictObject({ known: z.literal(true), value }),
    z.strictObject({ known: z.literal(false), why: z.string() }),
  ]);
const readingSchema = z.strictObject({
  process: z.string(),
  servers: z.array(
    z.strictObject({
      name: z.string(),
      address: z.string().nullable(),
      weight: count,
      configuredWeight: count,
      admin: state,
      configuredAdmin: reading(state),
      health: z.enum(['up', 'down', 'starting', 'unchecked']),
      counters: z.strictObject({
        attempts: count,
        rsp1xx: count,
        rsp2xx: count,
        rsp3xx: count,
        rsp4xx: count,
        rsp5xx: count,
        srvAbrt: count,
        econ: count,
        eresp: count,
        wretr: count,
        wredis: count,
        scur: count,
      }),
      features: z.array(z.string()),
    }),
  ),
  traits: z.strictObject({
    mode: reading(z.enum(['http', 'tcp'])),
    algorithm: reading(z.string()),
    stickiness: reading(z.string().nullable()),
    retryOn: reading(z.array(z.string())),
    abortOnClose: reading(z.boolean()),
    redispatch: reading(z.boolean()),
    bypasses: reading(z.array(z.string())),
    attemptMsMax: reading(z.number()),
    readOnly: reading(z.null()),
  }),
});
const attemptsSchema = byName(count);

/** All throw when the value is something else. */
export const parseRequest = (line: string): ControlRequest => requestSchema.parse(JSON.parse(line));
export const parseReply = (line: string): ControlReply => replySchema.parse(JSON.parse(line));
export const parseHello = (value: unknown): Hello => helloSchema.parse(value);
export const parseReading = (value: unknown): BackendReading => readingSchema.parse(value);
export const parseAttempts = (value: unknown): Record<string, number> => attemptsSchema.parse(value);

/** What is wrong with a value, in a few words however much of it is wrong. */
export function problemsOf({ issues }: z.ZodError): string {
  const said = issues.slice(0, 3).map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`);
  const words = said.join('; ').slice(0, 500);
  return issues.length > said.length ? `${words}; and ${issues.length - said.length} more` : words;
}

/**
 * Calls `onLine` for every complete line; `onOverflow` once, and then nothing any more, when a line is longer than anything
 * this language has.
 */
export function lineSplitter(onLine: (line: string) => void, onOverflow: () => void): (chunk: string) => void {
  let rest = '';
  let isOver = false;
  return (chunk) => {
    if (isOver) return;
    const [first = '', ...others] = chunk.split('\n');
    rest += first;
    for (const next of others) {
      if (rest.length > lineLengthMax) break;
      if (rest !== '') onLine(rest);
      rest = next;
    }
    if (rest.length <= lineLengthMax) return;
    isOver = true;
    rest = '';
    onOverflow();
  };
}
const lineLengthMax = 1_000_000;
