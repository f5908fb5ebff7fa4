import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * What a script was given. `--help` prints how to call it, and ends; so does an option that it does not know, with exit status 1.
 * `words`: whether it takes any beside options.
 */
export function given<O extends Options>(usage: string, options: O, words: boolean) {
  const config = {
    args: process.argv.slice(2),
    options: { ...options, help: { type: 'boolean' } },
    strict: true,
  } as const;
  try {
    const { values, positionals } = parseArgs({ ...config, allowPositionals: words });
    if (!('help' in values)) return { values, words: positionals };
  } catch (error) {
    // Its second sentence is about calling `node` itself.
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    console.error(`${why}\n\n${usage}`);
    process.exit(1);
  }
  console.log(usage);
  process.exit(0);
}
