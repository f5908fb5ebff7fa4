import { connect, type Socket } from 'node:net';
import type { PortError } from '../../../engine/ports.ts';
import { AnswerReader } from './answer-reader.ts';
import { connectionError, isPath, isQueueFull, notAWorkerError, protocolError, timeoutError } from './socket-errors.ts';
import { Turns } from './turns.ts';

/**
 * `reading`: whole readings, a few at a time at one address. `poll`: the same for the small ones that the drill is timed by, which do
 * not wait for readings. `write`: waits for nobody: the way back, all else that is written, and what that looks up.
 */
export type Urgency = 'reading' | 'poll' | 'write';

/** Together they leave room in the queue of a socket. */
const turnsOf = { reading: new Turns(4), poll: new Turns(4) };
/** Between two tries of a connection that HAProxy's queue had no room for, and how long it is tried. */
const retryMs = 10;
const retryMsMax = 2000;

/**
 * Sends commands over one connection to HAProxy's runtime API and resolves with one answer for each. The commands are
 * not atomic: each is performed or refused on its own, and the answer says which.
 *
 *   request  = command *( ";" command ) LF
 *   reply    = 1*answer                      ; as many as commands; the worker then closes, a master socket does not
 *   answer   = *( line LF ) LF               ; no line is empty
 *
 * Rejects with PortError `unreachable`, `denied`, `timeout` (the signal) or `protocol`.
 */
export async function askRuntime(
  address: string,
  commands: readonly string[],
  signal: AbortSignal,
  urgency: Urgency = 'reading',
): Promise<string[]> {
  if (urgency === 'write') return await askWithRoom(address, commands, signal);
  const endTurn = await turnsOf[urgency].take(address, signal);
  if (endTurn === null) throw timeoutError(address, abridged(commands), signal.reason);
  try {
    return await askWithRoom(address, commands, signal);
  } finally {
    endTurn();
  }
}

/** Where the queue of the socket is full nothing was sent, so that trying again repeats nothing. Others fill it, too. */
async function askWithRoom(address: string, commands: readonly string[], signal: AbortSignal): Promise<string[]> {
  const endsAt = performance.now() + retryMsMax;
  for (;;) {
    try {
      return await askOnce(address, commands, signal);
    } catch (error) {
      if (!isQueueFull(error) || performance.now() > endsAt || signal.aborted) throw error;
    }
    await pause(retryMs, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

function askOnce(address: string, commands: readonly string[], signal: AbortSignal): Promise<string[]> {
  const doing = abridged(commands);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(timeoutError(address, doing, signal.reason));
      return;
    }
    const answers = new AnswerReader(commands.length);
    const socket = open(address);
    const finish = (error: PortError | null) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      if (error === null) resolve(answers.complete);
      else reject(error);
    };
    const onAbort = () => finish(timeoutError(address, doing, signal.reason));
    signal.addEventListener('abort', onAbort);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${commands.join(';')}\n`));
    socket.on('data', (chunk: string) => {
      answers.read(chunk);
      if (answers.missing === 0) finish(null);
      else if (answers.characters > characterMax)
        finish(protocolError(doing, `less than ${characterMax} characters`, 'more'));
    });
    socket.on('end', () => finish(cutOff(address, doing, answers)));
    socket.on('error', (cause) => finish(connectionError(address, cause)));
  });
}

function cutOff(address: string, doing: string, { complete, missing, tail }: AnswerReader): PortError {
  if (complete.length === 0 && tail.startsWith('HTTP/')) return notAWorkerError(address, tail);
  return protocolError(doing, `${complete.length + missing} whole answers`, tail);
}

/** Thousands of servers fit; a stream that never ends does not fill the memory. */
const characterMax = 256 * 1024 * 1024;

function open(address: string): Socket {
  if (isPath(address)) return connect({ path: address });
  const colon = address.lastIndexOf(':');
  return connect({ host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(address.slice(colon + 1)) });
}

function abridged(commands: readonly string[]): string {
  const [first = '', ...others] = commands;
  return others.length === 0 ? first : `${first}" and ${others.length} more commands: "…`;
}
