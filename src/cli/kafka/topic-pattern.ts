import { CliError } from '../context.ts';

/** Whether a name is meant: all of it fits, and it is not one of Kafka's own. Throws CliError with what was typed. */
export function topicPattern(topics: string, exclude: string | null): (name: string) => boolean {
  const wanted = anchored('--topics', topics);
  const unwanted = exclude === null ? null : anchored('--exclude', exclude);
  return (name) => wanted.test(name) && !name.startsWith('__') && unwanted?.test(name) !== true;
}

function anchored(option: string, text: string): RegExp {
  try {
    // By itself first: what is wrong is told of what was typed.
    return new RegExp(`^(?:${new RegExp(text, 'u').source})$`, 'u');
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new CliError(`${option}: ${said}`, "a regular expression for whole names, in quotes: 'orders|clicks\\..*'");
  }
}
