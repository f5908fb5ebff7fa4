import { isOfNoEffect, isTaken, refusedKeys, type TakenKey } from './known-keys.ts';
import type { PropertiesProblem, PropertyEntry } from './properties-syntax.ts';

/** The content of a file that a setting names. */
export type ReadBytes = (path: string) => Uint8Array;

/** The entries that count, and what is found to be wrong with them. */
export class Given {
  readonly problems: PropertiesProblem[];
  readonly notes: string[] = [];
  readonly #entries = new Map<TakenKey, PropertyEntry>();
  readonly #idle: string[] = [];

  constructor(entries: readonly PropertyEntry[], malformed: readonly PropertiesProblem[]) {
    this.problems = [...malformed];
    for (const entry of entries) this.#sort(entry);
  }

  /** Null: not given. Java trims the values of clients. */
  value(key: TakenKey): string | null {
    return this.#entries.get(key)?.value.trim() ?? null;
  }

  /** At the line of `key`, or of the first one there is of several. */
  problem(key: TakenKey, message: string): void {
    this.problems.push({ line: this.#entries.get(key)?.line ?? 1, message: `${key}: ${message}` });
  }

  has(key: TakenKey): boolean {
    return this.#entries.has(key);
  }

  hasAny(beginning: 'ssl.' | 'sasl.'): boolean {
    return [...this.#entries.keys()].some((key) => key.startsWith(beginning));
  }

  noteUnused({ name, tls, sasl }: { readonly name: string; readonly tls: boolean; readonly sasl: boolean }): void {
    const unused = [...this.#entries.keys()].filter(
      (key) => (key.startsWith('ssl.') && !tls) || (key.startsWith('sasl.') && !sasl),
    );
    if (unused.length > 0) this.notes.push(`without effect with security.protocol=${name}: ${unused.join(', ')}`);
    if (this.#idle.length > 0) this.notes.push(`without effect here: ${this.#idle.join(', ')}`);
  }

  #sort(entry: PropertyEntry): void {
    const { key, line, value } = entry;
    if (namesProvider(value)) {
      const message = `${key}: values of providers (\${…}) are not looked up here: write a file that has them, readable by you alone`;
      this.problems.push({ line, message });
    }
    const refusal = refusedKeys.get(key);
    if (isTaken(key)) {
      const earlier = this.#entries.get(key);
      if (earlier !== undefined)
        this.notes.push(`${key} is given in lines ${earlier.line} and ${line}: the last one counts`);
      this.#entries.set(key, entry);
    } else if (refusal !== undefined) this.problems.push({ line, message: `${key}: ${refusal}` });
    else if (isOfNoEffect(key)) this.#idle.push(key);
    else
      this.problems.push({
        line,
        message: `${key}: no client of Kafka has such a key: correct it, or remove the line`,
      });
  }
}

/** `${provider:…}`, found by parts: one regular expression for it takes time out of proportion on a hostile file. */
function namesProvider(value: string): boolean {
  const end = value.lastIndexOf('}');
  const start = value.indexOf('${');
  if (start < 0 || end < start) return false;
  return value
    .slice(start, end + 1)
    .split('}')
    .slice(0, -1)
    .some((part) => part.includes('${') && part.slice(part.indexOf('${')).includes(':'));
}
