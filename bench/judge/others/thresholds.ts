import { Bin, type OtherRule } from './rule.ts';

type Flagger = { readonly intervalSeconds: number; readonly successMin: number; readonly threshold: number };

/**
 * Each interval the canary's success rate over it must reach a minimum; a check that fails, or finds no values, is counted, and
 * the counter is reset only by a new revision. When it has reached the threshold the next tick takes the canary back.
 */
export function flagger(name: string, settings: Flagger): OtherRule {
  const { intervalSeconds, successMin, threshold } = settings;
  return {
    name,
    about: `each ${intervalSeconds} s, success ≥ ${(100 * successMin).toFixed(1)} %, ${threshold} failed checks`,
    source: 'https://docs.flagger.app/usage/metrics and https://docs.flagger.app/usage/how-it-works',
    otherwise: 'advances',
    start: () => {
      const bin = new Bin();
      let failedChecks = 0;
      return (second, window) => {
        bin.add(window);
        if ((second + 1) % intervalSeconds !== 0) return false;
        if (failedChecks >= threshold) return true;
        const { attempts, failures } = bin.take().destination;
        if (attempts === 0 || 1 - failures / attempts < successMin) failedChecks++;
        return false;
      };
    },
  };
}

type Argo = {
  readonly intervalSeconds: number;
  /** What the query's two last samples span. */
  readonly scrapeSeconds: number;
  readonly successMin: number;
  readonly failures: number;
  readonly errorsMax: number;
};

/**
 * Background analysis: a measurement each interval, the canary's success rate by `irate`, which spans the two last samples. So many
 * failed measurements in all, or more errors in succession than are allowed (a query without a result is one), abort the rollout.
 */
export function argo(name: string, settings: Argo): OtherRule {
  const { intervalSeconds, scrapeSeconds, successMin, failures: failuresMax, errorsMax } = settings;
  return {
    name,
    about: `each ${intervalSeconds} s, success ≥ ${(100 * successMin).toFixed(1)} %, ${failuresMax} failed measurements`,
    source: 'https://argo-rollouts.readthedocs.io/en/stable/features/analysis/',
    otherwise: 'advances',
    start: () => {
      const bin = new Bin();
      let [failed, errors] = [0, 0];
      return (second, window) => {
        bin.add(window);
        if ((second + 1) % scrapeSeconds !== 0) return false;
        const { attempts, failures } = bin.take().destination;
        if ((second + 1) % intervalSeconds !== 0) return false;
        errors = attempts === 0 ? errors + 1 : 0;
        if (attempts > 0 && 1 - failures / attempts < successMin) failed++;
        return failed >= failuresMax || errors > errorsMax;
      };
    },
  };
}
