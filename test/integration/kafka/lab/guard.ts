import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A temporary folder and every process with its name in the environment. They end together, when `close` is called or when this
 * process has ended in whatever way (kill -9, a worker of the test runner that was stopped): a shell waits for the end of a
 * pipe, and then looks into /proc for the mark, so that nothing is ended on the strength of its number.
 */
export type Guard = {
  readonly folder: string;
  /** The mark: to be in the environment of whatever belongs to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Kills what is left and removes the folder. Rejects if either could not be done. */
  close(): Promise<void>;
};

const variable = 'DROVER_KAFKA_LAB';

/** What is killed may still be writing into the folder for a moment. */
const script = `
cat > /dev/null
for round in 1 2; do
  for file in /proc/[0-9]*/environ; do
    if grep -qzxF "${variable}=$1" "$file" 2> /dev/null; then
      process=\${file#/proc/}
      kill -KILL "\${process%/environ}" 2> /dev/null
    fi
  done
done
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  rm -rf "$1" 2> /dev/null && exit 0
  sleep 0.2
done
echo "cannot remove $1" >&2
exit 1
`;

export async function openGuard(): Promise<Guard> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-kafka-'));
  const shell = spawn('sh', ['-c', script, 'guard', folder], { detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  // Whatever it was, `close` tells of it.
  shell.stdin.on('error', () => {});
  await once(shell, 'spawn');
  return {
    folder,
    environment: { [variable]: folder },
    close: async () => {
      shell.stdin.end();
      const code = await exitOf(shell);
      if (code !== 0) throw new Error(`the guard of ${folder} ended with ${code}: ${complaint.trim()}`);
    },
  };
}

async function exitOf(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}
