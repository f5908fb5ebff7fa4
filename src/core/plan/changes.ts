import type { RolloutPlan } from '../rollout/plan.ts';

/**
 * What the configuration asks for now that a rollout was not begun with, as `policy.drainMsMax: 5000, was 60000`; empty: nothing.
 * A rollout goes on as it was begun, because its evidence and its way back rest on that, so whoever has edited the file
 * has to be told. What the journal of an older version did not write down is not compared.
 */
export function changesSince(begun: RolloutPlan, now: RolloutPlan): string[] {
  return differences(begun, now, '');
}

function differences(begun: unknown, now: unknown, path: string): string[] {
  if (isTree(begun) && isTree(now)) {
    const keys = new Set([...Object.keys(begun), ...Object.keys(now)]);
    return [...keys].flatMap((key) => {
      if (key === 'address' && begun[key] === undefined) return [];
      return differences(
        begun[key],
        now[key],
        Array.isArray(now) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
      );
    });
  }
  return begun === now ? [] : [`${path}: ${inWords(now)}, was ${inWords(begun)}`];
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function inWords(value: unknown): string {
  return value === undefined ? 'not there' : JSON.stringify(value);
}
