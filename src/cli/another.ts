/** An option that may be given again. Not a list in one option, which would take the argument behind it for another one. */
export function another(given: string, before: readonly string[] = []): readonly string[] {
  return [...before, given];
}
