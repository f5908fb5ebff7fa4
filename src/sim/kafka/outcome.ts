import type { Violation } from './checks/violation.ts';
import type { FaultName, KafkaScenario } from './scenario.ts';

export type KafkaOutcome = {
  readonly scenario: KafkaScenario;
  readonly violation: Violation | null;
  readonly simulatedMs: number;
  /** Records that stand on the target, over all partitions. */
  readonly records: number;
  readonly movers: number;
  /** How each partition ended. */
  readonly ends: readonly string[];
  readonly struck: Readonly<Partial<Record<FaultName, number>>>;
  readonly happenings: readonly Happening[];
  /** Of each batch that was appended on the target: how long its first record had stood on the source. */
  readonly delaysMs: readonly number[];
};
export type Happening = { readonly atMs: number; readonly text: string };
