import { groupOfFolder, resolveDirectory, storePrefix } from './paths.ts';
import { findByToken } from './processes.ts';

export type LocalInstance = {
  /** `query.origin`. */
  readonly group: string;
  /** `query.origin-1`. */
  readonly name: string;
  /** Of the instance's own process; it may have started others. */
  readonly pid: number;
};

/** The instances of every group of a state directory that run now, by their processes and not by any file. */
export function runningInstances(stateDirectory: string): LocalInstance[] {
  const prefix = storePrefix(resolveDirectory(stateDirectory));
  const byToken = Map.groupBy(findByToken(prefix), ({ token }) => token);
  const instances = [...byToken].flatMap(([token, found]): (LocalInstance & { readonly index: number })[] => {
    const [folder = '', index = ''] = token.slice(prefix.length).split('/');
    // Children inherit the token; the instance's own process is the oldest.
    const pid = found[0]?.pid;
    const group = groupOfFolder(folder);
    if (pid === undefined || group === null || !/^\d{1,6}$/.test(index)) return [];
    return [{ group, name: `${group}-${Number(index) + 1}`, pid, index: Number(index) }];
  });
  instances.sort((one, other) =>
    one.group === other.group ? one.index - other.index : one.group < other.group ? -1 : 1,
  );
  return instances.map(({ group, name, pid }) => ({ group, name, pid }));
}
