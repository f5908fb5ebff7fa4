/** Bytes that stay where they are: `from` to `to` (not included) of `bytes`. What is in there may change for as long as nobody copied it. */
export type ByteRange = { readonly bytes: Uint8Array; readonly from: number; readonly to: number };

export const noBytes: ByteRange = { bytes: new Uint8Array(0), from: 0, to: 0 };

export function wholeOf(bytes: Uint8Array): ByteRange {
  return { bytes, from: 0, to: bytes.length };
}

export function lengthOf(range: ByteRange): number {
  return range.to - range.from;
}

/** A view, not a copy. */
export function viewOf({ bytes, from, to }: ByteRange): Uint8Array {
  return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
}
