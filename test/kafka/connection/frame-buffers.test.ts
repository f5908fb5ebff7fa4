import { describe, expect, test } from 'vitest';
import { FrameBuffers } from '../../../src/io/kafka/connection/frame-buffers.ts';

describe('buffers of large frames', () => {
  test('are used again for a frame of about that length, and have exactly the length that was asked for', () => {
    const buffers = new FrameBuffers(1 << 20);
    const first = buffers.take(100_000);
    expect(first.length).toBe(100_000);
    buffers.giveBack(first);
    const second = buffers.take(120_000);
    expect(second.length).toBe(120_000);
    expect(second.buffer).toBe(first.buffer);
    expect(buffers.take(120_000).buffer).not.toBe(first.buffer);
  });

  test('are lent to one at a time, however often somebody gives them back', () => {
    const buffers = new FrameBuffers(1 << 20);
    const frame = buffers.take(100_000);
    for (let turn = 0; turn < 3; turn += 1) buffers.giveBack(frame);
    expect(buffers.take(100_000).buffer).not.toBe(buffers.take(100_000).buffer);
  });

  test('of somebody else are left alone, and what is free has a limit', () => {
    const buffers = new FrameBuffers(100_000);
    const strange = new Uint8Array(131_072);
    buffers.giveBack(strange);
    const large = buffers.take(100_000);
    expect(large.buffer).not.toBe(strange.buffer);
    buffers.giveBack(large);
    expect(buffers.take(100_000).buffer).not.toBe(large.buffer);
  });
});
