import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import {
  access,
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, delimiter, dirname, isAbsolute, join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type DebianProgram = {
  readonly package: string;
  /** Path inside the package, without a leading slash: `usr/sbin/haproxy`. */
  readonly program: string;
  /** Packages with files that it reads, beside the libraries that it is linked with. */
  readonly data?: readonly string[];
  /** A program in Java, started by a script: its libraries are the packages below it, which it finds from where it lies itself. */
  readonly inJava?: boolean;
  /** Arguments with which it ends at once with exit code 0: shows that it starts at all. */
  readonly probe: readonly string[];
  /** Whether what the probe printed, on both outputs, is of a program that will do; without it any will. */
  readonly accepts?: (printed: string) => boolean;
  /** Variables that the probe has beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Folder of its own inside the checkout's `.cache`; written whole or not at all. */
  readonly cache: string;
};

/** A program that could not be had on this machine; the message says why in one line, so that callers can print *not run*. */
export class NotFetched extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'NotFetched';
  }
}

/** Looks on PATH (and in the sbin folders that a user's PATH often lacks), then in the cache. Fetches nothing. */
export async function findProgram(wanted: DebianProgram): Promise<string | null> {
  const name = basename(wanted.program);
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const candidates = [
    ...folders.filter((folder) => folder !== '').map((folder) => join(folder, name)),
    launcher(wanted),
  ];
  for (const candidate of candidates) {
    if (await starts(candidate, wanted)) return candidate;
  }
  return null;
}

/**
 * As findProgram, else downloads the package and the shared libraries it lacks into the cache, without installing
 * anything (a distribution's package may start a system service) and without touching apt's own state: the same with
 * and without root. Two processes may do it at once. Rejects with NotFetched,
 * also when `signal` ends it.
 */
export async function fetchProgram(
  wanted: DebianProgram,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const found = await findProgram(wanted);
  if (found !== null) return found;
  say(`fetching the package ${wanted.package} with apt-get into ${wanted.cache} (not installed)`);
  const parent = dirname(wanted.cache);
  await mkdir(parent, { recursive: true });
  const stage = await mkdtemp(join(parent, `.${basename(wanted.cache)}-`));
  try {
    await chmod(stage, 0o755);
    await unpackInto(stage, wanted, signal);
    await moveIntoPlace(stage, wanted);
  } finally {
    // An apt that has just been ended may still write: then a folder is not empty at the first attempt.
    await rm(stage, { recursive: true, force: true, maxRetries: 10 });
  }
  return launcher(wanted);
}

function launcher(wanted: DebianProgram): string {
  return join(wanted.cache, basename(wanted.program));
}

async function starts(path: string, { probe, accepts = () => true, environment }: DebianProgram): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    const { stdout, stderr } = await run(path, [...probe], {
      timeout: 30_000,
      env: { ...process.env, ...environment },
    });
    return accepts(stdout + stderr);
  } catch {
    return false;
  }
}

async function unpackInto(stage: string, wanted: DebianProgram, signal: AbortSignal): Promise<void> {
  const apt = await privateApt(stage, signal);
  await apt('apt-get', ['update']);
  const root = join(stage, 'unpacked');
  await mkdir(root);
  const unpacked = new Set<string>();
  let wave = [wanted.package, ...(wanted.data ?? [])];
  while (wave.length > 0) {
    await unpackPackages(apt, wave, stage, root);
    for (const name of wave) unpacked.add(name);
    if (wanted.inJava === true) {
      wave = (await dependencies(apt, wave)).filter((name) => /^lib.*-java$/.test(name) && !unpacked.has(name));
      continue;
    }
    const missing = await missingLibraries(join(root, wanted.program), root);
    if (missing.length === 0) break;
    wave = await libraryDependencies(apt, wave, unpacked);
    if (wave.length === 0) {
      throw new NotFetched(
        `${wanted.package} needs shared libraries that none of its packages has: ${missing.join(', ')}`,
      );
    }
  }
  await keepLinksInside(root);
  await writeLauncher(stage, root, wanted);
  await rm(join(stage, 'apt'), { recursive: true });
}

type Apt = (tool: 'apt-get' | 'apt-cache', args: readonly string[], directory?: string) => Promise<string>;

/** apt with lists, locks and downloads of its own; sources, keys and the list of installed packages are the machine's. */
async function privateApt(stage: string, signal: AbortSignal): Promise<Apt> {
  const state = join(stage, 'apt', 'state');
  const cache = join(stage, 'apt', 'cache');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const settings = [
    `Dir::State=${state}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${cache}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
    'APT::Update::Error-Mode=any',
  ].flatMap((setting) => ['-o', setting]);
  return async (tool, args, directory = stage) => {
    try {
      const env = { ...process.env, LC_ALL: 'C' };
      const options = { cwd: directory, env, signal, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 };
      return (await run(tool, ['-q', ...settings, ...args], options)).stdout;
    } catch (cause) {
      throw new NotFetched(`${tool} ${args.join(' ')}: ${reason(cause)}`, cause);
    }
  };
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ('code' in cause && cause.code === 'ENOENT') return 'there is no apt on this machine';
  const stderr = 'stderr' in cause ? String(cause.stderr) : '';
  const lines = stderr.split('\n').filter((line) => line.startsWith('E: '));
  return (lines.at(0) ?? cause.message.split('\n').at(0) ?? '').replace(/^E: /, '') || 'failed without saying why';
}

async function unpackPackages(apt: Apt, names: readonly string[], stage: string, root: string): Promise<void> {
  const folder = await mkdtemp(join(stage, 'apt', 'deb-'));
  await apt('apt-get', ['download', ...names], folder);
  const archives = (await readdir(folder)).filter((file) => file.endsWith('.deb'));
  if (archives.length < names.length) {
    throw new NotFetched(`apt-get download ${names.join(' ')} brought ${archives.length} packages`);
  }
  for (const archive of archives) {
    try {
      await run('dpkg', ['-x', join(folder, archive), root]);
    } catch (cause) {
      throw new NotFetched(`dpkg -x ${archive}: ${reason(cause)}`, cause);
    }
  }
}

/** Links of a package name places of an installed system (Java's to its settings in /etc): here they lead to what was unpacked. */
async function keepLinksInside(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const link of entries.filter((entry) => entry.isSymbolicLink())) {
    const path = join(link.parentPath, link.name);
    const target = await readlink(path);
    if (!isAbsolute(target) || !(await isThere(join(root, target)))) continue;
    await rm(path);
    await symlink(relative(link.parentPath, join(root, target)), path);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

async function missingLibraries(program: string, root: string): Promise<string[]> {
  const env = { ...process.env, LD_LIBRARY_PATH: (await libraryFolders(root)).join(':') };
  const { stdout } = await run('ldd', [program], { env });
  return stdout.split('\n').flatMap((line) => /^\s*(\S+) => not found/.exec(line)?.[1] ?? []);
}

/** Folders with shared libraries below `root`, most general first. */
async function libraryFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const libraries = entries.filter((entry) => /\.so(\.|$)/.test(entry.name));
  return [...new Set(libraries.map((entry) => entry.parentPath))].sort((a, b) => a.length - b.length);
}

/** The packages that the named ones depend on, that are libraries, and that are neither installed nor unpacked yet. */
async function libraryDependencies(
  apt: Apt,
  names: readonly string[],
  unpacked: ReadonlySet<string>,
): Promise<string[]> {
  const libraries = (await dependencies(apt, names)).filter((name) => name.startsWith('lib') && !unpacked.has(name));
  const absent: string[] = [];
  for (const name of libraries) if (!(await installed(name))) absent.push(name);
  return absent;
}

async function dependencies(apt: Apt, names: readonly string[]): Promise<string[]> {
  const text = await apt('apt-cache', ['depends', '--important', ...names]);
  const named = text
    .split('\n')
    .flatMap((line) => /^[ |]+(?:Pre)?Depends: ([a-z0-9][a-z0-9+.-]*)/.exec(line)?.[1] ?? []);
  return [...new Set(named)];
}

async function installed(name: string): Promise<boolean> {
  try {
    return (await run('dpkg-query', ['-W', '-f', '$' + '{db:Status-Status}', name])).stdout.includes('installed');
  } catch {
    return false;
  }
}

/** A program beside its libraries is started by a few lines of shell that find both wherever the checkout is. */
async function writeLauncher(stage: string, root: string, wanted: DebianProgram): Promise<void> {
  const folders = (await libraryFolders(root)).map((folder) => `$here${folder.slice(stage.length)}`);
  const path = join(stage, basename(wanted.program));
  const search =
    folders.length === 0 ? [] : [`export LD_LIBRARY_PATH="${folders.join(':')}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`];
  const here = 'here=$(CDPATH="" cd -- "$(dirname -- "$0")" && pwd)';
  await writeFile(path, ['#!/bin/sh', here, ...search, `exec "$here/unpacked/${wanted.program}" "$@"`, ''].join('\n'));
  await chmod(path, 0o755);
  if (!(await starts(path, wanted))) {
    throw new NotFetched(`the fetched ${basename(wanted.program)} does not start (${wanted.probe.join(' ')})`);
  }
}

/** The cache folder appears whole. Whoever comes second keeps the first one's, unless that one does not start. */
async function moveIntoPlace(stage: string, wanted: DebianProgram): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await rename(stage, wanted.cache);
      return;
    } catch (cause) {
      if (await starts(launcher(wanted), wanted)) return;
      if (attempt === 1) throw new NotFetched(`cannot write ${wanted.cache}`, cause);
      await rm(wanted.cache, { recursive: true, force: true });
    }
  }
}
