import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { exampleConfig } from '../config/example.ts';
import { isAddress } from '../config/names.ts';
import { another } from './another.ts';
import { CliError, type Context } from './context.ts';
import { surveyHaproxy } from './init/haproxy.ts';
import { configFileName, shownPath } from './load-config.ts';
import { createWhole, notWritten, replaceWhole, requireDirectory } from './whole-file.ts';

type InitOptions = {
  readonly force?: true;
  readonly json?: true;
  readonly haproxy?: readonly string[];
  readonly config?: string;
};

/** `drover init`: writes a configuration to start from, and never over one that is there unless told to. */
export function addInit(program: Command, context: Context): void {
  program
    .command('init')
    .description('write a commented configuration to start from')
    .argument('[FILE]', 'where to write it', configFileName)
    .option('--haproxy <SOCKET|HOST:PORT>', 'write down what runs there (may be given again for each process)', another)
    .option('--config <HAPROXY.CFG>', 'with --haproxy: tells what the socket does not')
    .option('--force', 'write over a file that is there')
    .option('--json', 'one JSON object: what was written')
    .addHelpText('after', examples)
    .action(async (file: string, options: InitOptions) => {
      if (options.haproxy !== undefined && (isAddress(file) || (await isSocket(resolve(context.directory, file)))))
        throw new CliError(
          `${file} is no file to write to: nothing was written`,
          'name another HAProxy process by --haproxy once more',
        );
      await writeConfig(context, file, await initialText(context, file, options), options);
    });
}

const examples = `
Exit status: 0 written, 1 not.

Examples:
  drover init                          an example, in ${configFileName}
  drover init fleets/shop.yaml         another file
  drover init --haproxy /run/haproxy/admin.sock --config /etc/haproxy/haproxy.cfg
`;

async function initialText(context: Context, file: string, { haproxy = [], config }: InitOptions): Promise<string> {
  if (haproxy.length > 0) {
    if (config !== undefined) await requireReadable(resolve(context.directory, config), config);
    const beside = dirname(resolve(context.directory, file));
    return await surveyHaproxy(context, { sockets: haproxy, configFile: config ?? null }, (given) =>
      seenFrom(beside, context.directory, given),
    );
  }
  if (config === undefined) return exampleConfig;
  throw new CliError('--config names the haproxy.cfg of a running HAProxy', 'say where it runs: --haproxy SOCKET');
}

/** A name that was mistyped would be written down, and missed only when a rollout is planned. */
async function requireReadable(path: string, shown: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : String(error);
    throw new CliError(
      `${shown} cannot be read: ${why}`,
      'name the haproxy.cfg that is in use, or leave out --config',
      error,
    );
  }
}

/** A path given in `directory`, as a file in `beside` has to write it: what is relative there is relative to the file. */
function seenFrom(beside: string, directory: string, given: string): string {
  if (isAbsolute(given) || isAddress(given) || beside === resolve(directory)) return given;
  const path = relative(beside, resolve(directory, given));
  return path.startsWith('..') ? path : `./${path}`;
}

async function isSocket(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isSocket(),
    () => path.endsWith('.sock'),
  );
}

async function writeConfig(context: Context, file: string, text: string, { force, json }: InitOptions): Promise<void> {
  const path = resolve(context.directory, file);
  const shown = shownPath(context.directory, path);
  await requireDirectory(dirname(path), shown);
  try {
    await (force ? replaceWhole(path, text) : createWhole(path, text));
  } catch (error) {
    throw explain(error, shown);
  }
  if (json) {
    context.stdout.write(`${JSON.stringify({ wrote: path })}\n`);
    return;
  }
  context.stdout.write(`wrote ${shown}\n`);
  const option = file === configFileName ? '' : ` --config ${shown}`;
  context.stdout.write(`Fill in what is yours, then: drover check${option}\n`);
}

function explain(error: unknown, shown: string): CliError {
  const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
  if (!isThere) return notWritten(error, shown);
  return new CliError(
    `${shown} is there already, and was left as it is`,
    'name another file, or write over it with --force',
    error,
  );
}
