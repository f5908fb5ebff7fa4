import { CliError } from '../context.ts';

/** An order that somebody has written down: one service on each line, or what `drover order --json` has printed. Every service once. */
export function orderIn(text: string, file: string, services: readonly string[]): readonly string[] {
  const named = text.trimStart().startsWith('{') ? fromJson(text, file) : fromLines(text);
  const seen = new Set<string>();
  const problems: string[] = [];
  const known = new Set(services);
  for (const { name, place } of named) {
    if (!known.has(name)) problems.push(`${file}${place}: ${JSON.stringify(name)} is none of the services`);
    else if (seen.has(name)) problems.push(`${file}${place}: ${JSON.stringify(name)} is there twice`);
    seen.add(name);
  }
  const missing = services.filter((name) => !seen.has(name));
  if (missing.length > 0)
    problems.push(`${file}: ${missing.length} services are missing, the first is ${JSON.stringify(missing[0])}`);
  if (problems.length > 0) throw new CliError(problems.slice(0, 20).join('\n'), 'an order names every service once');
  return named.map(({ name }) => name);
}

type Named = readonly { readonly name: string; readonly place: string }[];

function fromLines(text: string): Named {
  const lines = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line, index) => ({ name: line.trim(), place: `:${index + 1}:1` }));
  return lines.filter(({ name }) => name !== '');
}

function fromJson(text: string, file: string): Named {
  let order: unknown;
  try {
    order = JSON.parse(text).order;
  } catch (error) {
    throw new CliError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (Array.isArray(order) && order.every((name) => typeof name === 'string'))
    return order.map((name) => ({ name, place: '' }));
  throw new CliError(`${file}: expected "order" to be a list of names`);
}
