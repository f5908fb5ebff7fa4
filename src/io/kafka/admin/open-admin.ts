import { poolSettings, type ReaderOptions } from '../reader/open-reader.ts';
import { KafkaAdmin } from './kafka-admin.ts';

/** Nothing is connected yet. Throws a PortError that tells every problem of the file, and has no secret in it. */
export function openAdmin(options: ReaderOptions): { readonly admin: KafkaAdmin; readonly notes: readonly string[] } {
  const { settings, notes } = poolSettings(options, 'drover-copy');
  return { admin: new KafkaAdmin(settings), notes };
}
