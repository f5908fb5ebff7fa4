import type { BackendWatch, Watch } from '../../core/rollout/watch.ts';

/** The watch with what it has seen of each backend changed. */
export function changingBackends(
  watch: Watch,
  change: (seen: BackendWatch, backend: string) => Partial<BackendWatch>,
): Watch {
  const rows = Object.entries(watch.backends).map(([id, seen]) => [id, { ...seen, ...change(seen, id) }] as const);
  return { ...watch, backends: Object.fromEntries(rows) };
}
