import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * Gives the tasks to worker threads, one after the other, as many at once as there are processors. Results come in any order.
 * The worker answers each message with one message. All workers are gone at the end, also after an error.
 */
export async function inWorkers<Task, Result>(
  file: URL,
  tasks: readonly Task[],
  take: (result: Result) => void,
): Promise<void> {
  let next = 0;
  const workers: Worker[] = [];
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(file);
      workers.push(worker);
      const feed = (): void => {
        if (next >= tasks.length) resolve();
        else worker.postMessage(tasks[next++]);
      };
      worker.on('message', (result: Result) => {
        take(result);
        feed();
      });
      worker.on('error', reject);
      feed();
    });
  try {
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), tasks.length) }, serve));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
