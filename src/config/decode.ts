import { limits } from './document.ts';
import type { Finding } from './problem.ts';

/** No file of more bytes can be a configuration: UTF-8 takes at most three bytes for each UTF-16 code unit. */
export const fileBytesMax = limits.characters * 3;

export type Decoded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly finding: Finding };

/** Bytes of a file to text. Only UTF-8 is accepted; the finding says where the first byte is that does not fit. */
export function decodeText(bytes: Uint8Array): Decoded {
  const mark = `${bytes[0]?.toString(16)} ${bytes[1]?.toString(16)}`;
  if (mark === 'ff fe' || mark === 'fe ff') {
    return { ok: false, finding: wrongEncoding(1, 1, 'UTF-16 (by its byte order mark)') };
  }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ok: false, finding: locateInvalidByte(bytes) };
  }
}

function wrongEncoding(line: number, column: number, found: string): Finding {
  return {
    line,
    column,
    message: 'the file is not UTF-8 text',
    expected: 'UTF-8 text',
    found,
    suggestion: 'save it as UTF-8',
  };
}

/** Decodes once more with replacements: the first replacement that the bytes themselves do not spell is the place. */
function locateInvalidByte(bytes: Uint8Array): Finding {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const encoder = new TextEncoder();
  const text = decoder.decode(bytes);
  let offset = 0;
  let line = 1;
  let column = 1;
  for (const character of text) {
    const length = encoder.encode(character).length;
    const spelled =
      character !== '\uFFFD' || (bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd);
    if (!spelled)
      return wrongEncoding(line, column, `the byte 0x${bytes[offset]?.toString(16).toUpperCase().padStart(2, '0')}`);
    offset += length;
    if (character === '\n') {
      line += 1;
      column = 1;
    } else {
      column += character.length;
    }
  }
  return wrongEncoding(line, column, 'an incomplete character at the end');
}
