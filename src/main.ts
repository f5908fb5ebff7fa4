#!/usr/bin/env node
import { runCommand } from './cli/run-command.ts';
import { systemClock } from './io/clock/system.ts';
import { realWorld } from './world.ts';

await runCommand(realWorld, systemClock);
