/**
 * Whether facts about a server can be kept under its name: in a plain object `constructor`, `toString` and their like are
 * there before anything is put into it, and `__proto__` cannot be put.
 */
export function isServerName(name: string): boolean {
  return name !== '' && !(name in Object.prototype);
}
