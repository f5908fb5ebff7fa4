import { Random } from '../../../src/sim/random.ts';
import { shiftOf } from './mann-whitney.ts';
import { Bin, type OtherRule } from './rule.ts';

const quantileOf98percent = 2.3263;
const tolerance = 0.25;
const pointsPerRun = 60;

/**
 * Runs of one hour with a point each minute (at least 50 are asked for), the canary's failure rate against that of a baseline of the
 * same size and traffic. High, and with one critical metric failed: the whole confidence interval of the shift lies above a
 * quarter of the estimate. Without data the metric is NODATA, which fails nothing.
 */
export const kayenta: OtherRule = {
  name: 'Kayenta',
  about: 'each hour, 60 points of 1 min, Mann-Whitney at 98 %, baseline of the same size',
  source:
    'https://spinnaker.io/docs/guides/user/canary/judge/ and https://spinnaker.io/docs/guides/user/canary/best-practices/',
  otherwise: 'passes',
  start: (seed) => {
    const random = new Random(seed).fork('baseline');
    const bin = new Bin();
    let [canary, baseline]: [number[], number[]] = [[], []];
    return (second, window) => {
      bin.add(window);
      if ((second + 1) % 60 !== 0) return false;
      const { origin, destination } = bin.take();
      if (destination.attempts > 0 && origin.attempts > 0) {
        canary.push(destination.failures / destination.attempts);
        baseline.push(asManyOf(origin, destination.attempts, random) / destination.attempts);
      }
      if ((second + 1) % (60 * pointsPerRun) !== 0) return false;
      const high = isHigh(canary, baseline);
      [canary, baseline] = [[], []];
      return high;
    };
  },
};

/** The failures of a baseline with so many of the origin's attempts. */
function asManyOf(origin: { attempts: number; failures: number }, attempts: number, random: Random): number {
  let failures = 0;
  for (let failure = 0; failure < origin.failures; failure++) if (random.chance(attempts / origin.attempts)) failures++;
  return failures;
}

function isHigh(canary: readonly number[], baseline: readonly number[]): boolean {
  if (canary.length === 0 || new Set([...canary, ...baseline]).size === 1) return false;
  const { low, estimate } = shiftOf(canary, baseline, quantileOf98percent);
  return low > 0 && low > tolerance * Math.abs(estimate);
}
