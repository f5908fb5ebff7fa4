import type { RolloutStatus } from '../../core/rollout/status.ts';
import { statusSummary } from './view.ts';

const intervalMs = 10_000;

/** Where a rollout stands, for a pipe: a line when something about it is another, and after ten seconds without. */
export function pipedStatus(): (status: RolloutStatus, nowMs: number) => readonly string[] {
  let told: { readonly key: string; readonly atMs: number } | null = null;
  return (status, nowMs) => {
    const key = changeKey(status);
    if (told?.key === key && Math.abs(nowMs - told.atMs) < intervalMs) return [];
    told = { key, atMs: nowMs };
    return [statusSummary(status, nowMs)];
  };
}

/** What is told at once. The same with other figures is no change. */
function changeKey({
  operation,
  stageName,
  held,
  requestedShare,
  builds,
  origin,
  destination,
  ...rest
}: RolloutStatus) {
  const texts = [...rest.unserved, ...rest.blockers, ...(rest.back?.standing ?? [])].map((text) =>
    text.replace(/\d+(\.\d+)?/g, '#'),
  );
  const able = [origin.able, destination.able];
  return JSON.stringify([operation, stageName, held, requestedShare, builds, able, texts]);
}
