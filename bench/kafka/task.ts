/** What a process that copies is told. */
export type Task = {
  /** host:port of the only broker. */
  readonly source: string;
  readonly target: string;
  readonly topic: string;
  /** Where each partition begins, on both sides. */
  readonly start: number;
  /** Where each partition of the source ends. */
  readonly ends: readonly number[];
  /** The copy ends there; else it follows. */
  readonly isCounted: boolean;
  readonly inFlightMax: number;
  /** For what it keeps; what is there is gone on with. */
  readonly folder: string;
};

export function taskOf(text: string | undefined): Task {
  const task: Task = JSON.parse(text ?? '');
  return task;
}

/** Says `ready`, waits for a line, copies, says `done SECONDS`, and waits until the other side has closed its end. */
export async function onceTold(copy: () => Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => process.stdin.once('end', () => resolve()));
  const told = new Promise<void>((resolve) => process.stdin.once('data', () => resolve()));
  process.stdin.resume();
  console.log('ready');
  await told;
  const startedAt = performance.now();
  const copied = copy().then(() => console.log(`done ${(performance.now() - startedAt) / 1000}`));
  await Promise.race([copied, closed]);
  await closed;
}
