import { setTimeout as sleep } from 'node:timers/promises';
import { groupContract } from '../contract/group.ts';
import { findMarked } from './local/marked.ts';
import { makeSetting } from './local/setting.ts';

groupContract('local provider', {
  passesMax: 600,
  passesQuiet: 20,
  async open({ min, max, healthy }) {
    const setting = await makeSetting({ size: { min, max }, behaviour: healthy ? 'good' : 'sick' });
    return {
      group: setting.open(),
      nowMs: () => Date.now(),
      pass: () => sleep(100),
      async crash() {
        for (const { pid } of findMarked(setting.mark)) process.kill(pid, 'SIGKILL');
      },
      dispose: () => setting.dispose(),
    };
  },
});
