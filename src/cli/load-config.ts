import { open, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { decodeText, fileBytesMax } from '../config/decode.ts';
import { type Parsed, parseConfig } from '../config/parse.ts';
import { type Finding, formatProblem, type Problem } from '../config/problem.ts';
import type { Config } from '../core/fleet/config.ts';
import { CliError, type Context } from './context.ts';

export const configFileName = 'drover.yaml';

/** Of every verb that needs a configuration: `command.option(...configOption)`. */
export const configOption = [
  '--config <FILE>',
  `configuration (default: ${configFileName} here or in a parent)`,
] as const;

export type LoadedConfig = {
  readonly config: Config;
  /** As shown to people: relative to the working directory where it lies below it. */
  readonly file: string;
  readonly warnings: readonly Problem[];
};

/** For verbs: the configuration, or a CliError with all its problems. `path` undefined: looked for here and in the parents. */
export async function loadConfig(context: Pick<Context, 'directory'>, path?: string): Promise<LoadedConfig> {
  const { file, parsed } = await readConfig(context, path);
  if (parsed.ok) return { config: parsed.config, file, warnings: parsed.warnings };
  const count = parsed.problems.length;
  const title = `${file} has ${count === 1 ? 'a problem' : `${count} problems`}, and nothing was done`;
  throw new CliError([title, ...parsed.problems.map(formatProblem)].join('\n'), 'put them right, and try again');
}

/** For `check`: the result of parsing, whatever it is. Throws CliError when there is no file to read. */
export async function readConfig(
  context: Pick<Context, 'directory'>,
  path?: string,
): Promise<{ readonly file: string; readonly parsed: Parsed }> {
  const absolute = path === undefined ? await findConfig(context.directory) : resolve(context.directory, path);
  const file = shownPath(context.directory, absolute);
  const bytes = await readBounded(absolute, file);
  if (bytes.length > fileBytesMax) return { file, parsed: refused(file, tooLarge) };
  const decoded = decodeText(bytes);
  if (!decoded.ok) return { file, parsed: refused(file, decoded.finding) };
  return { file, parsed: parseConfig(decoded.text, file, dirname(absolute)) };
}

async function findConfig(directory: string): Promise<string> {
  for (let at = resolve(directory); ; at = dirname(at)) {
    const candidate = join(at, configFileName);
    if (await exists(candidate)) return candidate;
    if (dirname(at) === at) break;
  }
  const remedy = '`drover init` writes an example; `--config FILE` names another file';
  throw new CliError(`there is no ${configFileName} in ${directory} or a directory above it`, remedy);
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/** At most one byte more than a configuration may have. Only regular files: a pipe or a device may never end. */
async function readBounded(path: string, file: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CliError(`${file} is not a file`, 'name the configuration file itself');
    const handle = await open(path, 'r');
    try {
      const buffer = new Uint8Array(fileBytesMax + 1);
      let length = 0;
      for (let last = -1; last !== 0 && length < buffer.length; length += last) {
        last = (await handle.read(buffer, length, buffer.length - length, null)).bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(`${file} cannot be read: ${reason(error)}`, remedyFor(error), error);
  }
}

function reason(error: Error): string {
  if (isCode(error, 'ENOENT', 'ENOTDIR')) return 'there is no such file';
  if (isCode(error, 'EACCES', 'EPERM')) return 'permission denied';
  return error.message;
}

function remedyFor(error: Error): string {
  if (isCode(error, 'ENOENT', 'ENOTDIR')) return '`drover init FILE` writes an example';
  return 'it has to be readable for the user who runs drover';
}

const tooLarge: Finding = {
  line: 1,
  column: 1,
  message: 'the file is too large for a configuration',
  expected: `at most ${fileBytesMax} bytes`,
};

function refused(file: string, finding: Finding): Parsed {
  return { ok: false, problems: [{ file, ...finding }], warnings: [] };
}

export function shownPath(directory: string, absolute: string): string {
  const path = relative(directory, absolute);
  return path === '' || path.startsWith(`..${sep}`) || path === '..' ? absolute : path;
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
