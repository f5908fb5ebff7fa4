const open = new Set<() => Promise<void>>();

/**
 * What a bench has opened and must not leave behind: the function that is returned ends it once, however often it is called, and
 * `closeAll` ends what is still open, for a bench that is interrupted.
 */
export function closing(close: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | null = null;
  const once = (): Promise<void> => {
    ended ??= close().finally(() => open.delete(once));
    return ended;
  };
  open.add(once);
  return once;
}

/** Everything that is open, and what is opened meanwhile. Rejects with what could not be ended, when all the others are. */
export async function closeAll(): Promise<void> {
  const failures: unknown[] = [];
  while (open.size > 0)
    for (const end of await Promise.allSettled([...open].map((close) => close())))
      if (end.status === 'rejected') failures.push(end.reason);
  if (failures.length > 0) throw new AggregateError(failures, 'a bench left something behind');
}
