/**
 * One line of a journal. An operation's entries form a chain: `previous` is the hash of the entry before (64 zeros for the
 * first), `hash` covers every other field. Entries of one operation have the sequence numbers 1, 2, 3 …
 */
export type Entry<Body extends EventBody = EventBody> = {
  readonly operation: string;
  readonly seq: number;
  readonly previous: string;
  readonly hash: string;
  /** Version of the decision rules that wrote it. */
  readonly rules: number;
  readonly atMs: number;
  /** The operating-system user, the API token's name, or `drover`. */
  readonly actor: string;
  readonly body: Body;
};

/** What an entry says: closed unions with a `kind`, one per operation type. JSON values only. */
export type EventBody = { readonly kind: string };

export type Head = { readonly operation: string; readonly seq: number; readonly hash: string };

/** The head of a chain without entries. */
export function emptyHead(operation: string): Head {
  return { operation, seq: 0, hash: '0'.repeat(64) };
}

/** SHA-256 of a string's UTF-8 bytes, as 64 hexadecimal digits. A parameter, because the core has no I/O and no libraries. */
export type Sha256 = (text: string) => string;
