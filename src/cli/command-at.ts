/** What a command was given to find configuration and journal. */
export type Place = { readonly config?: string | undefined; readonly journal?: string | undefined };

/** The other commands for the same configuration and journal, ready to be copied: `commandAt(options)('resume')`. */
export function commandAt({ config, journal }: Place): (verb: string) => string {
  const words = [
    ...(config === undefined ? [] : ['--config', quoted(config)]),
    ...(journal === undefined ? [] : ['--journal', quoted(journal)]),
  ];
  return (verb) => ['drover', verb, ...words].join(' ');
}

/** What follows a verb to choose the same services again, with the blank before it; empty: nothing was chosen. */
export function chosenWords(services: readonly string[], wave: string | undefined): string {
  const words = wave === undefined ? services.map(quoted) : ['--wave', quoted(wave)];
  return words.map((word) => ` ${word}`).join('');
}

/** For a shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
