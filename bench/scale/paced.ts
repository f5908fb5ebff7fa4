// As many rollouts as its first argument says, looked after at the pace of a real controller; prints the most memory that it took.
import { passes } from './passes.ts';

const [rollouts, perGroup, seconds] = process.argv.slice(2).map(Number);
await passes(rollouts ?? 0, perGroup ?? 0, seconds ?? 0, 1000);
console.log(process.resourceUsage().maxRSS / 1024);
