import { resolveDirectory, storePrefix } from './paths.ts';
import { findListener, tokenOf } from './processes.ts';

/** Who listens on a TCP port of this machine. `pid` null: a process of another user. */
export type PortHolder = {
  readonly pid: number | null;
  /** It is an instance that was started from this state directory. */
  readonly isOwn: boolean;
};

/** null: nobody listens there. Reads only. */
export function portHolder(port: number, stateDirectory: string): PortHolder | null {
  const found = findListener(port);
  if (found === null) return null;
  const token = found.pid === null ? null : tokenOf(found.pid);
  return { pid: found.pid, isOwn: token?.startsWith(storePrefix(resolveDirectory(stateDirectory))) === true };
}
