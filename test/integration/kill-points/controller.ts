import { runCommand } from '../../../src/cli/run-command.ts';
import { systemClock } from '../../../src/io/clock/system.ts';
import { realWorld } from '../../../src/world.ts';
import { type Point, pointsTo, withPoints } from './points.ts';

// The real command in the real world, which kills itself at one point. KILL_LOG: where the points go that it has reached;
// KILL_AT: one of them as JSON, or nothing.
const { KILL_LOG: log = '', KILL_AT: at = '' } = process.env;
const killAt = at === '' ? null : (JSON.parse(at) as Point);
await runCommand(withPoints(realWorld, pointsTo(log, killAt)), systemClock);
