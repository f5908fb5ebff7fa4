import { expect, test } from 'vitest';
import { Wake } from '../../../src/io/kafka/mover/wake.ts';
import { SimProcess } from '../../../src/sim/kafka/process.ts';
import { Schedule } from '../../../src/sim/schedule.ts';

test('all that wait are woken, and who comes after a wake that nobody waited for does not wait', async () => {
  const schedule = new Schedule();
  const { clock } = new SimProcess('mover', schedule, 0);
  const wake = new Wake();
  const woken: string[] = [];
  const wait = (name: string) => wake.wait(clock, 1000).then(() => woken.push(`${name} at ${schedule.nowMs}`));
  const waits = [wait('one'), wait('other')];
  schedule.after(10, () => wake.set());
  schedule.after(20, () => wake.set());
  schedule.after(30, () => waits.push(wait('late')));
  schedule.after(40, () => waits.push(wait('last')));
  await schedule.run(5000);
  await Promise.all(waits);
  expect(woken).toEqual(['one at 10', 'other at 10', 'late at 30', 'last at 1040']);
});
