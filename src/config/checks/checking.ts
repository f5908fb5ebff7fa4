import type { FileFields } from '../grammar.ts';
import type { Finding } from '../problem.ts';
import { valueIn } from '../shape.ts';
import { quoteName } from '../source.ts';
import type { Speller } from '../spelling.ts';

/** A file as read, possibly with holes where something was reported, and where the rules between values report. */
export type Checking = {
  readonly file: FileFields;
  /** Of the file; absolute. */
  readonly directory: string;
  readonly problem: (finding: Finding) => void;
  readonly warn: (finding: Finding) => void;
  readonly spell: Speller;
};

/** Something named in the file that is not there: what was found, and what may have been meant. */
export function notNamed(
  name: string,
  known: ReadonlySet<string>,
  spell: Speller,
): Pick<Finding, 'found' | 'suggestion'> {
  const near = spell(name, known);
  return { found: quoteName(name), ...(near === null ? {} : { suggestion: `did you mean "${near}"?` }) };
}

/** At most ten names, for "expected one of …". */
export function listNames(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'none is defined';
  const shown = [...names.values().take(10)].join(', ');
  return names.size > 10 ? `one of ${shown} … (${names.size} in all)` : `one of ${shown}`;
}

export function namesOf(
  section: FileFields['environments'] | FileFields['balancers'] | FileFields['services'],
): ReadonlySet<string> {
  return new Set(valueIn<ReadonlyMap<string, unknown>>(section)?.keys());
}

export function servicesOf(file: FileFields) {
  return [...(valueIn(file.services) ?? [])].map(([name, { at, value }]) => ({ name, at, fields: value }));
}

/** 'unknown': the environment is not there, or its provider was reported. */
export function providerOf(file: FileFields, environment: string | undefined): 'none' | 'local' | 'unknown' {
  const found = environment === undefined ? undefined : valueIn(file.environments)?.get(environment);
  return (found === undefined ? undefined : valueIn(found.value.provider)) ?? 'unknown';
}
