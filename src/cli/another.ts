import { InvalidArgumentError } from 'commander';

/** An option that may be given again. Not a list in one option, which would take the argument behind it for another one. */
export function another(given: string, before: readonly string[] = []): readonly string[] {
  if (before.includes(given)) throw new InvalidArgumentError('It was given before: nothing was done.');
  return [...before, given];
}

/** An option of which the last one would count in silence, where the first was meant as well. */
export function once(given: string, before?: string): string {
  if (before !== undefined)
    throw new InvalidArgumentError(`It was given before (${before}), and only one can be used: nothing was done.`);
  return given;
}
