import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameRefused, IncomingFrames } from '../../../src/io/kafka/connection/incoming-frames.ts';

const framesMax = 10_000_000;

describe('frames of a stream that arrives in pieces', () => {
  test('are the same ones, whatever the pieces', () => {
    const length = fc.oneof(fc.integer({ min: 4, max: 60 }), fc.constantFrom(65_532, 65_536, 65_537, 140_000));
    const piece = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 150_000 }));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 8 }), fc.array(piece, { minLength: 1 }), (lengths, pieces) => {
        const sent = lengths.map(numbered);
        expectSame(through(new IncomingFrames(framesMax), stream(sent), pieces), sent);
      }),
      { numRuns: 150 },
    );
  });

  test('are whole when every byte comes alone', () => {
    const sent = [4, 5, 300, 66_000].map(numbered);
    expectSame(through(new IncomingFrames(framesMax), stream(sent), [1]), sent);
  });

  test('are read in place once the rest is large: nothing is copied, and nothing behind it is touched', () => {
    const frames = new IncomingFrames(framesMax);
    const frame = numbered(1_000_000, 0);
    const bytes = stream([frame]);
    frames.target().set(bytes.subarray(0, 1000));
    expect(frames.received(1000)).toEqual([]);
    const rest = frames.target();
    expect(rest.length).toBe(bytes.length - 1000);
    rest.set(bytes.subarray(1000));
    const [received] = frames.received(rest.length);
    expect(received?.buffer).toBe(rest.buffer);
    expect(Buffer.compare(received ?? Buffer.alloc(0), frame)).toBe(0);
  });

  test('do not change when later ones arrive', () => {
    const frames = new IncomingFrames(framesMax);
    const [first] = through(frames, stream([numbered(100, 1)]), [50]);
    const before = Buffer.from(first ?? []);
    through(frames, stream([numbered(70_000, 2), numbered(100, 3)]), [999]);
    expect(Buffer.compare(Buffer.from(first ?? []), before)).toBe(0);
  });

  test.each([-2_147_483_648, -1, 0, 3, framesMax + 1, 2_147_483_647])('of %i bytes are refused', (length) => {
    const announced = Buffer.alloc(4);
    announced.writeInt32BE(length);
    const refused = () => through(new IncomingFrames(framesMax), Buffer.concat([announced, Buffer.alloc(100)]), [7]);
    expect(refused).toThrow(FrameRefused);
    expect(refused).toThrow(`${length} bytes`);
  });

  test('of a listener that speaks TLS are recognised', () => {
    const alert = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46);
    expect(() => through(new IncomingFrames(framesMax), alert, [7])).toThrow('SSL');
  });

  test('that are not finished are told as such', () => {
    const frames = new IncomingFrames(framesMax);
    expect(frames.unfinished).toBe(false);
    through(frames, stream([numbered(10, 0)]).subarray(0, 3), [3]);
    expect(frames.unfinished).toBe(true);
    through(frames, stream([numbered(10, 0)]).subarray(3, 9), [3]);
    expect(frames.unfinished).toBe(true);
    through(frames, stream([numbered(10, 0)]).subarray(9), [3]);
    expect(frames.unfinished).toBe(false);
  });
});

/** Not `toEqual`, which takes a second for a few hundred kilobytes. */
function expectSame(frames: readonly Buffer[], sent: readonly Buffer[]): void {
  expect(frames.map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
  expect(Buffer.compare(Buffer.concat(frames), Buffer.concat(sent))).toBe(0);
}

function numbered(length: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 31 + seed * 7 + (index >> 8)) & 0xff));
}

function stream(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(frame.length);
      return [length, frame];
    }),
  );
}

/** What a socket does that reads as many bytes at once as `pieces` say, one after the other and from the beginning again. */
function through(frames: IncomingFrames, bytes: Uint8Array, pieces: readonly number[]): Buffer[] {
  const whole: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const target = frames.target();
    const count = Math.min(target.length, pieces[turn % pieces.length] ?? 1, bytes.length - at);
    target.set(bytes.subarray(at, at + count));
    at += count;
    whole.push(...frames.received(count).map((frame) => Buffer.from(frame)));
  }
  return whole;
}
