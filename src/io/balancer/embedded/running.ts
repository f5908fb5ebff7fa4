import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { processState, readRecord, recordPathOf } from './identity.ts';

const configFile = /^balancer-(.+)\.json$/;

/** The embedded balancers that were started from this directory and have not ended, by name. */
export function runningEmbedded(directory: string): { readonly name: string; readonly pid: number }[] {
  return filesOf(directory).flatMap((file) => {
    const name = configFile.exec(file)?.[1];
    const record = name === undefined ? null : readRecord(recordPathOf(join(directory, file)));
    if (name === undefined || record === null || processState(record) === 'gone') return [];
    return [{ name, pid: record.pid }];
  });
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
