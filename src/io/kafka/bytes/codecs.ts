import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils/bundled';
import { type Lz4Header, lz4Decompressed } from './lz4.ts';
import { MalformedBytes } from './malformed.ts';
import { snappyDecompressed, snappyFramed } from './snappy.ts';

/** By the number that the attributes of a batch have. */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof codecNames)[number];

export function codecNamed(number: number, at: number): Codec {
  const name = codecNames[number];
  if (name === undefined) throw new MalformedBytes('codec', at, `0 to ${codecNames.length - 1}`, number);
  return name;
}

export type DecompressionLimits = {
  /** What the output may have at most, whatever it says of itself: nothing more is ever allocated for it. */
  readonly outputBytesMax: number;
  readonly lz4Header: Lz4Header;
};

/**
 * What was compressed into bytes[from, to). All of it is read: bytes that are left are `MalformedBytes`, as is every checksum that is wrong. Without
 * a codec it is that part of `bytes` itself.
 */
export function decompressed(
  codec: Codec,
  bytes: Uint8Array,
  from: number,
  to: number,
  { outputBytesMax, lz4Header }: DecompressionLimits,
): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes.subarray(from, to);
    case 'gzip':
    case 'zstd':
      return byZlib(codec, bytes, from, to, outputBytesMax);
    case 'snappy':
      return snappyDecompressed(bytes, from, to, outputBytesMax);
    case 'lz4':
      return lz4Decompressed(bytes, from, to, outputBytesMax, lz4Header);
  }
}

/** As Kafka's own clients frame it, at the usual level. `bytes` itself without a codec. */
export function compressed(codec: Codec, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new RangeError('compressed: expected some bytes, found none');
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes);
    case 'zstd':
      return zstdCompressSync(bytes);
    case 'snappy':
      return snappyFramed(bytes, (block) => snappyCompress(asBuffer(block)));
    case 'lz4':
      return lz4Compress(asBuffer(bytes));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** More frames than any producer makes, and few enough that the decoder, made anew for each, takes no time. */
const framesMax = 1000;

/** Frame after frame: of zstd, Node decodes the first one only and says nothing of the others. */
function byZlib(
  codec: 'gzip' | 'zstd',
  bytes: Uint8Array,
  from: number,
  to: number,
  outputBytesMax: number,
): Uint8Array {
  const parts: Buffer[] = [];
  let outputBytes = 0;
  for (let at = from; at < to || parts.length === 0; ) {
    const part = frameAt(codec, bytes.subarray(at, to), at, outputBytesMax - outputBytes);
    if (part.consumedBytes === 0 || parts.length === framesMax)
      throw new MalformedBytes(codec, at, `at most ${framesMax} frames, and the end`, `${to - at} bytes more`);
    parts.push(part.output);
    outputBytes += part.output.length;
    at += part.consumedBytes;
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

function frameAt(codec: 'gzip' | 'zstd', bytes: Uint8Array, at: number, outputBytesMax: number) {
  const decode = codec === 'gzip' ? gunzipSync : zstdDecompressSync;
  try {
    // One byte more than may come, as nothing may come where the limit is reached, and Node takes no limit of zero.
    const decoded: unknown = decode(bytes, { maxOutputLength: outputBytesMax + 1, info: true });
    const { output, consumedBytes } = decodedParts(decoded);
    if (output.length > outputBytesMax) throw tooMuch(codec, at, outputBytesMax);
    return { output, consumedBytes };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ERR_BUFFER_TOO_LARGE') throw tooMuch(codec, at, outputBytesMax);
    throw new MalformedBytes(codec, at, 'bytes that can be decompressed', `${error.message} (${String(error.code)})`);
  }
}

/** With `info`, Node gives the engine besides the output, which knows how much of its input was used. Its types do not say so. */
function decodedParts(decoded: unknown): { output: Buffer; consumedBytes: number } {
  if (typeof decoded === 'object' && decoded !== null && 'buffer' in decoded && 'engine' in decoded) {
    const { buffer, engine } = decoded;
    if (buffer instanceof Buffer && typeof engine === 'object' && engine !== null && 'bytesWritten' in engine)
      return { output: buffer, consumedBytes: Number(engine.bytesWritten) };
  }
  throw new TypeError('node:zlib: expected the output and its engine, found something else');
}

function tooMuch(codec: Codec, at: number, outputBytesMax: number): MalformedBytes {
  return new MalformedBytes(`${codec} output`, at, `at most ${outputBytesMax} bytes`, 'more');
}
