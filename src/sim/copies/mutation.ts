import type { MoveRequest } from '../../core/move/operation/observation.ts';
import type { MoveDecider } from '../../engine/move-operation.ts';
import type { MovePorts } from '../../engine/move-ports.ts';
import type { Inbox } from '../../engine/operation-ports.ts';
import type { MoverHost } from '../../io/kafka/channel/movers-end.ts';
import type { CheckName } from './checks/violation.ts';
import type { Strike } from './scenario.ts';

/** A known-bad product, made of the real one by changing what it decides, or what its ports do. */
export type Mutation = {
  readonly name: string;
  /** A seed in which it is seen. */
  readonly seenIn: number;
  /** Worlds without any of these do not show it; none: all may. */
  readonly shownBy: readonly Strike[];
  readonly caughtBy: readonly CheckName[];
  readonly decider?: (real: MoveDecider) => MoveDecider;
  readonly ports?: (ports: MovePorts) => MovePorts;
  /** What the process that moves the data is given by its machine. */
  readonly host?: (host: MoverHost) => MoverHost;
  readonly inbox?: (inbox: Inbox<MoveRequest>) => Inbox<MoveRequest>;
};
