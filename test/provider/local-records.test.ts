import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PortError } from '../../src/engine/ports.ts';
import type { InstanceRecord } from '../../src/io/provider/local/lifecycle.ts';
import { parseInstance, parseWanted } from '../../src/io/provider/local/records.ts';

const file = '/state/local/query.origin/instance-3.json';
const prefix = 'store/query.origin/';
const record: InstanceRecord = {
  index: 3,
  token: `${prefix}3/one`,
  build: null,
  startedAtMs: 1,
  restarts: 0,
  streak: 0,
  note: null,
  phase: { kind: 'running', process: { pid: 77, startTicks: 5, bootId: 'boot' } },
};
const text = (changes: object = {}) => JSON.stringify({ version: 1, ...record, ...changes });

function problem(content: string): PortError {
  try {
    parseInstance(file, content, 3, prefix);
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the record of an instance', () => {
  it('is read as it was written', () => {
    expect(parseInstance(file, text(), 3, prefix)).toEqual(record);
    expect(parseWanted(file, '{"version":1,"min":1,"desired":2,"declaredMin":1}')).toEqual({
      min: 1,
      desired: 2,
      declaredMin: 1,
    });
  });

  it.each([
    ['an empty file', '', 'the file is empty'],
    ['half a file', text().slice(0, 40), 'not JSON'],
    ['another file', '[]', 'expected object'],
    ['an unknown key', text({ colour: 'red' }), 'colour'],
    [
      'a pid that would be a process group or init',
      text({ phase: { kind: 'running', process: { pid: -1, startTicks: 5, bootId: 'b' } } }),
      'phase.process.pid',
    ],
    [
      'a process without a start time',
      text({ phase: { kind: 'running', process: { pid: 77, bootId: 'b' } } }),
      'phase.process.startTicks',
    ],
    ['an unknown phase', text({ phase: { kind: 'paused' } }), 'phase.kind'],
    ['the record of another instance', text({ index: 4 }), 'expected 3'],
    [
      'a record copied from another state directory',
      text({ token: 'other/query.origin/3/one' }),
      'another state directory',
    ],
  ])('is refused by name and field when it is %s', (_, content, expected) => {
    const error = problem(content);
    expect(error.code).toBe('corrupt');
    expect(error.message).toContain(file);
    expect(error.message).toContain(expected);
    expect(error.message).toContain('Nothing was started or stopped');
  });

  it('is left to the newer version that wrote it', () => {
    expect(problem(text({ version: 2, shape: 'new' }))).toMatchObject({ code: 'newer-version', retriable: false });
  });

  it('is either read whole or refused, however it was damaged', () => {
    fc.assert(
      fc.property(fc.nat(text().length), fc.nat(20), fc.string({ maxLength: 5 }), (at, length, put) => {
        const damaged = text().slice(0, at) + put + text().slice(at + length);
        try {
          expect(parseInstance(file, damaged, 3, prefix)).toHaveProperty('phase.kind');
        } catch (error) {
          expect(error).toBeInstanceOf(PortError);
        }
      }),
    );
  });
});
