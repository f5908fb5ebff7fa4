import { z } from 'zod';
import type { OperatorRequest } from '../../core/rollout/observation.ts';
import type { RolloutStatus } from '../../core/rollout/status.ts';
import { CliError, type ControlRequest } from '../context.ts';

/** What a controller answers to `status`. */
export type ControllerAnswer = {
  readonly pid: number;
  /** null: it is between two rollouts, or before the first. */
  readonly operation: string | null;
  /** null: it has not looked yet, or it is of a version that tells it otherwise. */
  readonly status: RolloutStatus | null;
  /** Why nothing can be written to the journal at the moment; null: it can. */
  readonly trouble: string | null;
  /** What of the destination carries traffic, or cannot be read. */
  readonly standing: readonly string[];
};

/** What came in at the control socket. Throws CliError: nothing that is not one of these reaches the loop. */
export function parseControlRequest(value: unknown): ControlRequest {
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CliError('a controller of this version answers "status", "operator" and "end", and this is none of them');
}

/** What a controller answered. Throws CliError where it does not say who it is and what it runs. */
export function parseControllerAnswer(value: unknown): ControllerAnswer {
  const parsed = answerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CliError(
    'a controller answers in words that this version does not know',
    'use the version of Drover that it was started with',
  );
}

const text = z.string();
const reason = z.string().nullable();

const operatorSchema: z.ZodType<OperatorRequest> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hold'), by: text, why: text, amends: z.literal(true).exactOptional() }),
  z.strictObject({ kind: z.literal('resume'), by: text, reason, marked: text.exactOptional() }),
  z.strictObject({ kind: z.literal('back'), by: text, reason, all: z.boolean() }),
  z.strictObject({ kind: z.literal('retire'), by: text, reason }),
]);

const requestSchema: z.ZodType<ControlRequest> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('status') }),
  z.strictObject({ kind: z.literal('end') }),
  z.strictObject({ kind: z.literal('operator'), operation: text, request: operatorSchema }),
]);

const number = z.number();
const orNull = number.nullable();
const share = number.min(0).max(1).nullable();
const group = z.looseObject({
  environment: text,
  able: orNull,
  desired: orNull,
  need: orNull,
  rps: orNull,
  attempts: number,
  failures: number,
});
const evidence = z.looseObject({ logEvidence: number, threshold: number, by: z.enum(['comparison', 'absolute']) });
const statusShape = z.looseObject({
  operation: text,
  service: text,
  stage: text,
  stageName: text,
  stageSinceMs: number,
  bakeMs: orNull,
  step: orNull,
  steps: number,
  compared: z.boolean(),
  promotion: z
    .discriminatedUnion('kind', [
      z.looseObject({ kind: z.literal('requests'), requests: number }),
      z.looseObject({ kind: z.literal('never'), why: text }),
      z.looseObject({ kind: z.literal('unknown'), why: text }),
    ])
    .nullable(),
  held: z.looseObject({ why: text, by: text }).nullable(),
  requestedShare: share,
  observedShare: share,
  loadRps: orNull,
  origin: group,
  destination: group,
  verdict: z.looseObject({
    verdict: text,
    rollBack: evidence,
    promote: evidence,
    dispersion: z.discriminatedUnion('known', [
      z.looseObject({ known: z.literal(true), value: number }),
      z.looseObject({ known: z.literal(false), why: text }),
    ]),
  }),
  blockers: z.array(text),
  troubles: z.array(text),
  byHand: z.array(text),
  unserved: z.array(text),
  back: z
    .looseObject({
      cause: z.looseObject({ kind: text }),
      performedAtMs: number,
      journalled: z.boolean(),
      standing: z.array(text),
    })
    .nullable(),
  drill: reason,
  builds: z.looseObject({ origin: text, destination: text }),
  others: z.array(text),
});

const answerSchema: z.ZodType<ControllerAnswer> = z.object({
  pid: z.int(),
  operation: z.string().nullable(),
  // The way back is asked for by the operation's name alone: a status that cannot be read must not stand in its way.
  status: z
    .custom<RolloutStatus>((value) => statusShape.safeParse(value).success)
    .nullable()
    .catch(null),
  trouble: z.string().nullable(),
  standing: z.array(z.string()),
});
