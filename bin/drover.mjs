#!/usr/bin/env node
// Starts Drover on a Node that can run it: this one when it is new enough, else the one that came with the package.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// Whoever presses a key waits for names: they are told by a program that loads less than a third of Drover.
const tellsNames = process.argv[2] === 'completion' && process.argv[3] === 'names';
const program = tellsNames ? 'cli/completion/names' : 'main';
const compiled = join(root, 'dist', `${program}.js`);
const source = join(root, 'src', `${program}.ts`);
// Node refuses to strip types below node_modules, so an installed package runs its compiled files.
const installed = root.split(/[\\/]/).includes('node_modules');
const entry = !installed && existsSync(source) ? source : compiled;
const oldestNode = 24;
/** They are controllers, become one, or say something to it. */
const controls = ['apply', 'resume', 'hold', 'back', 'abort', 'retire'].includes(process.argv[2]);

// Compiled, the small program runs on any Node that runs this file.
if (Number(process.versions.node.split('.')[0]) >= oldestNode || (tellsNames && entry === compiled)) {
  if (controls) await answerSignals();
  await import(pathToFileURL(entry).href);
} else {
  const node = bundledNode();
  if (node === undefined) {
    process.stderr.write(
      `drover: needs Node ${oldestNode} or newer, this is ${process.version}, and the package that brings it ` +
        `(node-${process.platform}-${process.arch}) is not installed here. Install Node ${oldestNode} and try again.\n`,
    );
    process.exit(1);
  }
  stayInFrontOf(spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' }), node);
}

/** Who controls traffic never ends without a word, not even while it is still being loaded. */
async function answerSignals() {
  const signals = join(dirname(entry), 'cli', 'controller', `signals${extname(entry)}`);
  const { endOnSignals } = await import(pathToFileURL(signals).href);
  endOnSignals();
}

function stayInFrontOf(child, node) {
  // A terminal sends its Ctrl-C to both processes: passed on as well, it would arrive twice, and twice means "at once".
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => onTerminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`drover: cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Killed by what it would have caught a moment later.
    if (controls && ['SIGINT', 'SIGTERM', 'SIGHUP'].includes(signal)) {
      process.stderr.write(`drover: asked to end (${signal}): this command has begun nothing\n`);
      process.exit(1);
    }
    // Ends the way the child did, so that a shell sees the signal; the code is for signals that do not end this process.
    process.exitCode = 128 + constants.signals[signal];
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function bundledNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    return join(dirname(manifest), 'bin', 'node');
  } catch {
    return undefined;
  }
}
