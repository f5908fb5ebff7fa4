import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { endPreviousMover, forgetMover } from '../../../src/io/kafka/child/previous-mover.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-record-'));
const record = join(folder, 'copy-1.mover');
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('whoever finds the record of a mover takes what that one had sent for unsettled, until it is taken away', async () => {
  expect(await endPreviousMover(record, 'mover')).toBe(true);
  expect(existsSync(record)).toBe(true);
  writeFileSync(record, JSON.stringify({ pid: 4_000_000, born: 'another boot/1' }));
  expect(await endPreviousMover(record, 'mover')).toBe(false);
  forgetMover(record);
  expect(await endPreviousMover(record, 'mover')).toBe(true);
});
