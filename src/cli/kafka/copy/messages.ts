import { z } from 'zod';
import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import type { CopyStatus } from '../../../core/move/operation/status.ts';
import { CliError, type ControlRequest } from '../../context.ts';

/** What may be said to the controller of a copy. */
export type CopyControlRequest = Extract<ControlRequest, { kind: 'status' | 'end' | 'copy-operator' }>;

/** What came in at its socket. Throws CliError: nothing that is not one of these reaches the loop. */
export function parseCopyRequest(value: unknown): CopyControlRequest {
  const parsed = requestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CliError('the controller of a copy answers "status", "end" and "copy-operator", and this is none of them');
}

const text = z.string();
const reason = text.nullable();

const operatorSchema: z.ZodType<MoveRequest> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('hold'), by: text, why: text }),
  z.strictObject({ kind: z.literal('resume'), by: text, reason }),
  z.strictObject({ kind: z.literal('rate'), by: text, rate: z.number().positive().nullable() }),
  z.strictObject({ kind: z.literal('abort'), by: text, reason }),
  z.strictObject({ kind: z.literal('back'), by: text, reason }),
]);

const requestSchema: z.ZodType<CopyControlRequest> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('status') }),
  z.strictObject({ kind: z.literal('end') }),
  z.strictObject({ kind: z.literal('copy-operator'), operation: text, request: operatorSchema }),
]);

/** What a controller of a copy answers to `status`. */
export type CopyAnswer = {
  readonly pid: number;
  readonly operation: string;
  /** Null: it has not looked yet, or it is of a version that tells it otherwise. */
  readonly status: CopyStatus | null;
  /** Why nothing can be written to the journal at the moment; null: it can. */
  readonly trouble: string | null;
  /** Why the target does not do what was asked; null: it does. */
  readonly refusal: string | null;
};

/** Throws CliError where it does not say who it is and what it runs. */
export function parseCopyAnswer(value: unknown): CopyAnswer {
  const parsed = answerSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CliError(
    'the controller of the copy answers in words that this version does not know',
    'use the version of Drover that it was started with',
  );
}

const number = z.number();
const statusShape = z.looseObject({
  operation: text,
  stage: text,
  held: z.looseObject({ by: text, why: text }).nullable(),
  rate: number.nullable(),
  isSettled: z.boolean().nullable(),
  bytes: number,
  records: number,
  offsets: number,
  offsetsDone: number,
  partitions: z.array(z.looseObject({ topic: text, partition: number, source: number, target: number, state: text })),
});

const answerSchema: z.ZodType<CopyAnswer> = z.object({
  pid: z.int(),
  operation: text,
  status: z
    .custom<CopyStatus>((value) => statusShape.safeParse(value).success)
    .nullable()
    .catch(null),
  trouble: reason,
  refusal: reason,
});
