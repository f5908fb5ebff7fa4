import type { Fault } from './fault.ts';
import { answerFaults } from './faults/answers.ts';
import { balancerFaults } from './faults/balancers.ts';
import { connectionFaults } from './faults/connections.ts';
import { streamFaults } from './faults/streams.ts';
import { userFaults } from './faults/users.ts';

export const faults: readonly Fault[] = [
  ...connectionFaults,
  ...answerFaults,
  ...streamFaults,
  ...userFaults,
  ...balancerFaults,
];
