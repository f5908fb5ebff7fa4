import { existsSync, readFileSync } from 'node:fs';
import type { World } from '../../../src/cli/context.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import type { Clock } from '../../../src/engine/ports.ts';
import { systemClock } from '../../../src/io/clock/system.ts';
import { realWorld } from '../../../src/world.ts';
import type { Changes } from './changes.ts';
import { pointsTo, withPoints } from './points.ts';

// The real command in the real world, in which the test that has started it has changed one thing or another.
const changes = JSON.parse(process.env['CHANGES'] ?? '{}') as Changes;
const { points, desk, clock } = changes;
const world = desk === undefined ? realWorld : atDesk(realWorld, desk);
await runCommand(
  points === undefined ? world : withPoints(world, pointsTo(points.log, points.fate ?? null)),
  clock === undefined ? systemClock : movedBy(clock),
);

function atDesk(world: World, name: string): World {
  return { ...world, listenControl: (path, handler) => world.listenControl(`${path}.${name}`, handler) };
}

/** The wall clock, moved by as many milliseconds as a file says at the moment. */
function movedBy(file: string): Clock {
  const movedMs = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
  return { ...systemClock, now: () => systemClock.now() + movedMs() };
}
