import { z } from 'zod';
import type { BackendReading } from '../../../core/observed/backend.ts';

/**
 * The language of the control socket: one JSON object a line, requests answered in the order in which they came.
 *
 *   → {"id":1,"op":"weights","backend":"web","weights":{"vpc-1":10}}
 *   ← {"id":1,"result":null}        or        {"id":1,"error":{"code":"not-found","message":"…"}}
 */
const state = z.enum(['ready', 'drain', 'maint']);
const requestSchema = z.discriminatedUnion('op', [
  z.strictObject({ id: z.int(), op: z.literal('hello') }),
  z.strictObject({ id: z.int(), op: z.literal('stop') }),
  z.strictObject({ id: z.int(), op: z.literal('read'), backend: z.string() }),
  z.strictObject({ id: z.int(), op: z.literal('attempts'), backend: z.string(), servers: z.array(z.string()) }),
  z.strictObject({
    id: z.int(),
    op: z.literal('weights'),
    backend: z.string(),
    weights: z.record(z.string(), z.int().min(0).max(256)),
  }),
  z.strictObject({
    id: z.int(),
    op: z.literal('configured'),
    configHash: z.string(),
    /** Backend → server → configured weight. */
    weights: z.record(z.string(), z.record(z.string(), z.int().min(0).max(256))),
  }),
  z.strictObject({ id: z.int(), op: z.literal('states'), backend: z.string(), states: z.record(z.string(), state) }),
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
  listening: z.record(z.string(), z.string()),
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
        lbtot: count,
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
const attemptsSchema = z.record(z.string(), count);

/** All throw when the value is something else. */
export const parseRequest = (line: string): ControlRequest => requestSchema.parse(JSON.parse(line));
export const parseReply = (line: string): ControlReply => replySchema.parse(JSON.parse(line));
export const parseHello = (value: unknown): Hello => helloSchema.parse(value);
export const parseReading = (value: unknown): BackendReading => readingSchema.parse(value);
export const parseAttempts = (value: unknown): Record<string, number> => attemptsSchema.parse(value);

/** Calls `onLine` for every complete line; `onOverflow` once, when a line is longer than anything this language has. */
export function lineSplitter(onLine: (line: string) => void, onOverflow: () => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
    if (rest.length > lineLengthMax) onOverflow();
  };
}
const lineLengthMax = 1_000_000;
