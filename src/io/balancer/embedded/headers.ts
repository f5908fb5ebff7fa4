/**
 * What of a message's head may pass a proxy (RFC 9110 §7.6.1), and which requests must not pass at all because two parsers
 * could disagree about where they end (RFC 9112 §11.2). Node's parser has already refused what is malformed.
 */
export type RequestHead = {
  /** Names and values in turn, ready for the server; the body is framed anew. */
  readonly headers: string[];
  readonly hasBody: boolean;
  readonly expectsContinue: boolean;
};
export type RefusedRequest = { readonly status: 400 | 501; readonly why: string };

/** `raw` are names and values in turn, as received. `target` is the request line's second word. */
export function requestHead(raw: readonly string[], target: string, httpVersion: string): RequestHead | RefusedRequest {
  if (!target.startsWith('/'))
    return { status: 400, why: 'only requests for a path are carried (no absolute form, no *)' };
  const { headers, seen } = endToEnd(raw);
  const refused = refusal(seen, httpVersion);
  if (refused !== null) return refused;
  return {
    headers,
    hasBody: seen.transferEncoding !== null || (seen.contentLength !== null && Number(seen.contentLength) > 0),
    expectsContinue: seen.expect,
  };
}

/** The same for a server's response: names and values in turn. */
export function responseHeaders(raw: readonly (string | Buffer)[]): string[] {
  return endToEnd(raw).headers;
}

type Seen = {
  host: number;
  contentLength: string | null;
  transferEncoding: string | null;
  upgrade: string | null;
  nominated: Set<string> | null;
  expect: boolean;
};

function endToEnd(raw: readonly (string | Buffer)[]): { readonly headers: string[]; readonly seen: Seen } {
  const headers: string[] = [];
  const seen: Seen = {
    host: 0,
    contentLength: null,
    transferEncoding: null,
    upgrade: null,
    nominated: null,
    expect: false,
  };
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = text(raw[at]);
    const value = text(raw[at + 1]);
    if (passes(name, value, seen)) headers.push(name, value);
  }
  return { headers: seen.nominated === null ? headers : withoutNominated(headers, seen.nominated), seen };
}

/** Looks at the length first: lower-casing every name of every message is what would cost. */
function passes(name: string, value: string, seen: Seen): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() !== 'te';
    case 4:
      if (name.toLowerCase() === 'host') seen.host += 1;
      return true;
    case 6:
      if (name.toLowerCase() !== 'expect') return true;
      seen.expect = true;
      return false;
    case 7:
      return passesOfLength7(name.toLowerCase(), value, seen);
    case 10:
      return passesOfLength10(name.toLowerCase(), value, seen);
    case 14:
      if (name.toLowerCase() === 'content-length')
        seen.contentLength = seen.contentLength === null ? value : `${seen.contentLength}, ${value}`;
      return true;
    case 16:
      return name.toLowerCase() !== 'proxy-connection';
    case 17:
      if (name.toLowerCase() !== 'transfer-encoding') return true;
      seen.transferEncoding = seen.transferEncoding === null ? value : `${seen.transferEncoding}, ${value}`;
      return false;
    default:
      return true;
  }
}

function passesOfLength7(name: string, value: string, seen: Seen): boolean {
  if (name === 'upgrade') seen.upgrade = value;
  return name !== 'upgrade' && name !== 'trailer';
}

function passesOfLength10(name: string, value: string, seen: Seen): boolean {
  if (name === 'keep-alive') return false;
  if (name !== 'connection') return true;
  for (const token of value.toLowerCase().split(',')) {
    const nominated = token.trim();
    // What frames and routes a message is end-to-end whatever a client says.
    if (['', 'close', 'keep-alive', 'host', 'content-length'].includes(nominated)) continue;
    seen.nominated ??= new Set();
    seen.nominated.add(nominated);
  }
  return false;
}

function refusal(seen: Seen, httpVersion: string): RefusedRequest | null {
  if (seen.host > 1) return { status: 400, why: 'more than one Host' };
  // Node's parser refuses these too; what would be framed by a guess must not depend on which one it is.
  if (seen.contentLength !== null && !/^\d{1,15}$/.test(seen.contentLength))
    return { status: 400, why: 'a Content-Length that is no number, or several' };
  if (seen.transferEncoding !== null) {
    if (httpVersion === '1.0') return { status: 400, why: 'Transfer-Encoding in HTTP/1.0' };
    if (seen.contentLength !== null) return { status: 400, why: 'both Content-Length and Transfer-Encoding' };
    if (seen.transferEncoding.trim().toLowerCase() !== 'chunked') {
      return { status: 501, why: 'the only Transfer-Encoding carried is chunked' };
    }
  }
  // A client that offers HTTP/2 can be answered in HTTP/1.1; one that asks for a WebSocket cannot.
  if (seen.upgrade !== null && seen.nominated?.has('upgrade') && seen.upgrade.trim().toLowerCase() !== 'h2c') {
    return { status: 501, why: `upgrades (${seen.upgrade.slice(0, 40)}) are not carried by the embedded balancer` };
  }
  return null;
}

function withoutNominated(headers: readonly string[], nominated: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!nominated.has(name.toLowerCase())) kept.push(name, headers[at + 1] ?? '');
  }
  return kept;
}

function text(part: string | Buffer | undefined): string {
  if (part === undefined) return '';
  return typeof part === 'string' ? part : part.toString('latin1');
}
