import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { differences } from '../../../docs/page.ts';
import type { Cluster } from '../lab/cluster.ts';

const main = join(import.meta.dirname, '..', '..', '..', '..', 'src', 'main.ts');

export type Told = { readonly code: number | null; readonly text: string; readonly errors: string };
export type Running = { readonly child: ChildProcess; readonly ended: Promise<Told> };

/** `drover kafka verify` of topics of these clusters, as a process of its own. */
export function verifying(
  source: Cluster | string,
  target: Cluster | string,
  topics: string,
  ...more: readonly string[]
): Running {
  const at = (cluster: Cluster | string) => (typeof cluster === 'string' ? cluster : cluster.bootstrap());
  const words = ['kafka', 'verify', '--source', at(source), '--target', at(target), '--topics', topics, ...more];
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    errors += more;
  });
  const ended = new Promise<Told>((resolve) => child.once('close', (code) => resolve({ code, text, errors })));
  return { child, ended };
}

export type Report = {
  readonly verdict: string;
  readonly topics: readonly Topic[];
  readonly lacking: readonly object[];
  readonly uneven: readonly object[];
};
export type Topic = {
  readonly topic: string;
  readonly verdict: string;
  readonly notes: readonly string[];
  readonly partitions: readonly Partition[];
};
export type Partition = {
  readonly verdict: string;
  readonly equal: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly runs: readonly { readonly kind: string; readonly source: object | null; readonly target: object | null }[];
  readonly notes: readonly string[];
};

export async function verified(
  source: Cluster | string,
  target: Cluster | string,
  topics: string,
  ...more: readonly string[]
): Promise<{ readonly code: number | null; readonly report: Report }> {
  const { code, text, errors } = await verifying(source, target, topics, '--json', ...more).ended;
  if (text === '') throw new Error(`exit ${code}, and nothing on standard output: ${errors}`);
  const report: Report = JSON.parse(text);
  // The page of the verb says what is in it.
  const other = differences('kafka-verify.md', 'kafka-verify', report);
  if (other.length > 0) throw new Error(`not as docs/reference/kafka-verify.md says: ${other.join('; ')}`);
  return { code, report };
}
