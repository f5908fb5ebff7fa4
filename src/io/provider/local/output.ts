import { appendFile, copyFile, open, rename, stat, truncate } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { unlessMissing } from './records.ts';

/** What a log may grow to before it moves to `<file>.1`, which is then overwritten. */
const logBytesMax = 4 * 1024 * 1024;

const tailBytes = 4_096;
const lineLengthMax = 500;

/** Prepares the log for a start: a new instance begins a new file (the one before is kept as `.1`), a restart goes on in it. */
export async function beginLog(file: string, title: string, restart: boolean): Promise<void> {
  if (!restart && (await sizeOf(file)) > 0) await rename(file, `${file}.1`);
  await appendFile(file, `drover: ${title}\n`, { mode: 0o600 });
}

/** Keeps a log that is being written to within bounds, and its last lines in it. Lines written meanwhile may be lost. */
export async function boundLog(file: string): Promise<void> {
  if ((await sizeOf(file)) <= logBytesMax) return;
  await copyFile(file, `${file}.1`);
  const tail = await readTail(file);
  await truncate(file, 0);
  await appendFile(file, tail);
}

/** The last lines of a log, without control characters; empty if there is none. */
export async function lastLines(file: string, linesMax: number): Promise<string[]> {
  const tail = await readTail(file);
  const lines = tail.toString('utf8').split(/\r?\n/);
  // A full tail begins somewhere in the middle of a line.
  if (tail.length === tailBytes && lines.length > 1) lines.shift();
  return lines
    .map(printable)
    .filter((line) => line !== '')
    .slice(-linesMax);
}

/** Empty too where the log has just been put aside for a new start. */
async function readTail(file: string): Promise<Buffer> {
  const handle = await unlessMissing(open(file, 'r'));
  if (handle === null) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(tailBytes),
      0,
      tailBytes,
      Math.max(0, size - tailBytes),
    );
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function printable(line: string): string {
  const text = stripVTControlCharacters(line)
    .replace(/\t/g, '  ')
    .replace(/\p{Cc}/gu, '');
  return text.trimEnd().slice(0, lineLengthMax);
}

async function sizeOf(file: string): Promise<number> {
  return (await unlessMissing(stat(file)))?.size ?? 0;
}
