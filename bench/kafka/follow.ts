import type { Lab } from './lab.ts';
import { startMirrorMaker } from './mirror-maker.ts';
import { startCopying } from './programs.ts';

/** Starts whoever copies what will come. Answers with how to end it. */
export async function follow(
  { source, target }: Lab,
  who: 'mover' | 'MirrorMaker 2',
  topic: string,
  partitions: number,
): Promise<() => Promise<void>> {
  if (who === 'mover') {
    const ends = Array.from({ length: partitions }, () => 0);
    const [from, to] = [source.bootstrap(), target.bootstrap()];
    const task = { source: from, target: to, topic, start: 0, ends, isCounted: false, inFlightMax: 5 };
    const copying = await startCopying('mover', target, task);
    copying.go();
    return () => copying.close();
  }
  const running = await startMirrorMaker(source, target, { topic, codec: 'lz4', tasks: 1, lingerMs: 0 });
  const ended = running.ended.catch(() => undefined);
  return async () => {
    running.signal('SIGKILL');
    await ended;
  };
}
