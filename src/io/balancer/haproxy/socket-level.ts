import type { BackendTraits } from '../../../core/observed/backend.ts';
import type { BalancerProcess } from '../../../core/observed/balancer-process.ts';
import { known, unknown } from '../../../core/observed/reading.ts';
import { excerpt, protocolError, socketLine } from './socket-errors.ts';

/** Answered at every level, with the level in one word: so whether a socket may write is known without writing. */
export const showLevel = 'show cli level';

type Level = BalancerProcess['level'];

export function expectLevel(answer: string): Level {
  const level = levelOf(answer);
  if (level === null) throw protocolError(showLevel, 'admin, operator or user', answer);
  return level;
}

/** Weights and states are written at level admin only. */
export function readOnlyOf(socket: string, answer: string): BackendTraits['readOnly'] {
  const level = levelOf(answer);
  if (level === 'admin') return known(null);
  if (level === null) return unknown(`HAProxy's answer to "${showLevel}" was ${excerpt(answer.trim())}`);
  return known({
    why: `The socket ${socket} has level ${level}, which reads only.`,
    remedy: `In the global section of haproxy.cfg: ${socketLine(socket)}`,
  });
}

function levelOf(answer: string): Level | null {
  const word = answer.trim();
  return word === 'admin' || word === 'operator' || word === 'user' ? word : null;
}
