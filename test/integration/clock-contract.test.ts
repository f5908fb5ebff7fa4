import { setTimeout as sleep } from 'node:timers/promises';
import { steadyClock } from '../../src/engine/steady-clock.ts';
import { systemClock } from '../../src/io/clock/system.ts';
import { clockContract } from '../contract/clock.ts';

clockContract('system', async () => ({ clock: systemClock, pass: (ms) => sleep(ms) }));
clockContract('steady, over the system', async () => ({ clock: steadyClock(systemClock), pass: (ms) => sleep(ms) }));
