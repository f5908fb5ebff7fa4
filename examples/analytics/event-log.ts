import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Appends lines to a file of its own. What `append` has resolved survives a crash of the machine. */
export type EventLog = { append(line: string): Promise<void> };

type Waiting = { readonly line: string; readonly done: () => void; readonly failed: (error: unknown) => void };

/** Everything that waits is written and synced together, so that a slow disk costs waiting and not throughput. */
export async function openEventLog(directory: string, name: string): Promise<EventLog> {
  const file = await open(join(directory, `${name}.events`), 'a');
  let waiting: Waiting[] = [];
  let writing = false;
  const flush = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await file.appendFile(batch.map(({ line }) => `${line}\n`).join(''));
        await file.datasync();
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    writing = false;
  };
  return {
    append: (line) =>
      new Promise((done, failed) => {
        waiting.push({ line, done, failed });
        if (!writing) void flush();
      }),
  };
}

/** Counts the events of every log in a directory, reading only what is new. */
export function countEvents(directory: string): () => Promise<number> {
  const seen = new Map<string, { offset: number; lines: number }>();
  return async () => {
    let total = 0;
    for (const name of (await readdir(directory)).filter((one) => one.endsWith('.events'))) {
      const before = seen.get(name) ?? { offset: 0, lines: 0 };
      const after = await countFrom(join(directory, name), before);
      seen.set(name, after);
      total += after.lines;
    }
    return total;
  };
}

const chunkBytes = 64 * 1024;
const newline = 10;

async function countFrom(path: string, from: { offset: number; lines: number }): Promise<typeof from> {
  const file = await open(path, 'r');
  try {
    let { offset, lines } = from;
    for (;;) {
      const { bytesRead, buffer } = await read(file, offset);
      if (bytesRead === 0) return { offset, lines };
      for (let at = 0; at < bytesRead; at++) if (buffer[at] === newline) lines++;
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

function read(file: FileHandle, position: number) {
  return file.read({ buffer: new Uint8Array(chunkBytes), position });
}
