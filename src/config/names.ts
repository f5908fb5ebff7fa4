import type { NameRule } from './collections.ts';
import { type Shape, scalar } from './shape.ts';
import { addressPattern, matching, text } from './values.ts';

const identifierPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
const identifierText = 'up to 63 letters, digits, - and _, beginning with a letter or digit';

function named(what: string, sign: string): NameRule {
  return { what: `a name for ${what}`, expected: identifierText, pattern: identifierPattern, sign };
}

export const names = {
  environment: named('an environment', 'environment'),
  balancer: named('a balancer', 'balancer'),
  service: named('a service', 'service'),
  variable: {
    what: 'a name for an environment variable',
    expected: 'letters, digits and _, not beginning with a digit',
    pattern: /^[A-Za-z_][A-Za-z0-9_]{0,254}$/,
    sign: 'VARIABLE',
  },
} as const;

export function identifier(what: string): Shape<string> {
  return matching({ expected: `${what}: ${identifierText}`, pattern: identifierPattern });
}

/** What HAProxy allows in names of backends and servers, and `{index}`. */
export function serverName(expected: string): Shape<string> {
  return matching({
    expected: `${expected}: letters, digits and - _ . :`,
    pattern: /^(?:[A-Za-z0-9_.:-]|\{index\}){1,100}$/,
  });
}

export function globPattern(): Shape<string> {
  return matching({
    expected:
      'a pattern over server names (at most 64 characters), where * stands for any text and ? for one character',
    pattern: /^[A-Za-z0-9_.:*?-]{1,64}$/,
  });
}

export function urlPath(): Shape<string> {
  return matching({
    expected: 'a path that begins with /',
    pattern: /^\/[!-~]{0,1000}$/,
    suggest: (written) => (/^[\w.-][\w./-]*$/.test(written) ? `write /${written}` : null),
  });
}

export function trafficAddress(): Shape<string> {
  return matching({
    expected: 'host:port, such as 127.0.0.1:8080',
    pattern: addressPattern,
    suggest: (written) => (/^:?\d{1,5}$/.test(written) ? `write 127.0.0.1:${written.replace(':', '')}` : null),
  });
}

/** The path of a UNIX socket, or `host:port`. Whether a path is short enough for the kernel shows once it is absolute. */
export function socketAddress(): Shape<string> {
  const path = text('the path of a socket such as ./run/haproxy.sock, or host:port');
  return scalar({
    expected: path.expected,
    schema: path.schema,
    parse: (given) => {
      if (typeof given.value === 'number') return { ok: false, suggestion: `write 127.0.0.1:${given.text}` };
      if (typeof given.value !== 'string' || given.value.trim() === '' || /\p{Cc}/u.test(given.value))
        return { ok: false };
      if (given.value.includes('://')) return { ok: false, suggestion: 'leave out what stands before ://' };
      const prefix = /^(?:unix|ipv4|ipv6|abns|fd)@/.exec(given.value);
      if (prefix !== null) return { ok: false, suggestion: `leave out ${prefix[0]}` };
      const suggestion = mistakenPath(given.value);
      if (suggestion !== null) return { ok: false, suggestion };
      return { ok: true, value: given.value };
    },
  });
}

/** What would be taken for the path of a file that nobody means; null: it is none of these. */
function mistakenPath(written: string): string | null {
  if (/^[^/\s]+:\d+$/.test(written) && !addressPattern.test(written))
    return `a port is a number from 1 to 65535; for a file of that name write ./${written}`;
  if (written.startsWith('~')) return 'write the whole path: ~ is not replaced here';
  return /(^|\/)\.{0,2}$/.test(written) ? 'name the socket, and not the directory that it lies in' : null;
}

export function isAddress(socket: string): boolean {
  return !socket.includes('/') && addressPattern.test(socket);
}

/** Beside the configuration file. */
export function defaultControlSocket(balancer: string): string {
  return `.drover/${balancer}.sock`;
}

export function emoji(): Shape<string> {
  return matching({
    expected: 'an emoji such as :truck:',
    pattern: /^(?::[a-z0-9_+-]{1,50}:|[^\s:A-Za-z0-9<>&]{1,20})$/,
    suggest: (written) => (/^[a-z0-9_+-]{1,50}$/.test(written) ? `write ":${written}:"` : null),
  });
}
