import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PortError } from '../../engine/ports.ts';

/**
 * The control socket: one line of JSON in, one line of JSON out, then the connection ends. Only its owner may connect
 * (mode 0600). A socket file that nobody answers on was left by a controller that died, and is replaced.
 */
export async function listenControl(
  path: string,
  answer: (request: unknown) => Promise<unknown>,
): Promise<{ close(): Promise<void> } | 'busy'> {
  if (isTooLong(path)) throw tooLong(path);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    serve(socket, answer);
  });
  const first = await listen(server, path);
  if (first === 'in use') {
    if (await isAnswered(path)) return 'busy';
    await removeStale(path);
    if ((await listen(server, path)) === 'in use') return 'busy';
  }
  await chmod(path, 0o600);
  return {
    async close() {
      for (const socket of open) socket.destroySoon();
      // Node removes the socket's file itself.
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function removeStale(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `the control socket ${path} was left by a controller that died, and cannot be replaced: ${why}; make its directory writable`;
    throw new PortError('denied', message, { retriable: false, cause });
  }
}

/**
 * The answer of whoever listens at `path`; undefined: nobody does, or it ended before it answered in full. Throws PortError
 * (`protocol`: what answers there is no controller of this version).
 */
export async function askControl(path: string, request: unknown, signal: AbortSignal): Promise<unknown> {
  const text = await exchange(path, `${JSON.stringify(request)}\n`, signal);
  // A controller that dies while it answers leaves the beginning of a line.
  if (text === null || !text.endsWith('\n')) return undefined;
  const reply = parseReply(path, text.slice(0, -1));
  if ('error' in reply) throw new PortError('refused', reply.error, { retriable: false });
  return reply.answer;
}

type Reply = { readonly answer: unknown } | { readonly error: string };

function parseReply(path: string, line: string): Reply {
  let reply: unknown = null;
  try {
    reply = JSON.parse(line);
  } catch {
    // Said below.
  }
  if (typeof reply === 'object' && reply !== null) {
    if ('error' in reply && typeof reply.error === 'string') return { error: reply.error };
    if ('answer' in reply) return { answer: reply.answer };
  }
  throw notAController(path);
}

function notAController(path: string): PortError {
  const message = `what answers at ${path} is no controller of this version of Drover: see whose socket it is (ss -xlp)`;
  return new PortError('protocol', message, { retriable: false });
}

const requestCharactersMax = 64 * 1024;
/** A status with thousands of servers fits; what never ends does not fill the memory. */
const replyCharactersMax = 16 * 1024 * 1024;

function serve(socket: Socket, answer: (request: unknown) => Promise<unknown>): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf('\n');
    const isTooLong = (end < 0 ? text.length : end) > requestCharactersMax;
    if (end < 0 && !isTooLong) return;
    socket.removeAllListeners('data');
    // What else comes is read and dropped, so that the answer arrives.
    socket.resume();
    if (isTooLong) socket.end(`${JSON.stringify({ error: 'the request is too long: say it in fewer words' })}\n`);
    else void reply(text.slice(0, end), answer).then((line) => socket.end(`${line}\n`));
  });
}

async function reply(line: string, answer: (request: unknown) => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify({ answer: (await answer(JSON.parse(line))) ?? null });
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}

function listen(server: Server, path: string): Promise<'listening' | 'in use'> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') return resolve('in use');
      const message = `cannot listen on the control socket ${path}: ${cause.message}`;
      return reject(new PortError('refused', message, { retriable: false, cause }));
    };
    server.once('error', onError);
    server.listen(path, () => {
      server.off('error', onError);
      resolve('listening');
    });
  });
}

/** What the kernel takes in `sun_path`, without the zero at its end. */
const pathBytesMax = 107;

function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > pathBytesMax;
}

function tooLong(path: string): PortError {
  const message =
    `the control socket ${path} cannot be made: its path has ${Buffer.byteLength(path)} bytes, and the system allows ` +
    `${pathBytesMax}. Without it nobody could say "back" to a controller: give --journal PATH in a directory with a shorter name`;
  return new PortError('refused', message, { retriable: false });
}

/** Whoever may not ask cannot know, and may not replace it either: throws PortError `denied`. */
async function isAnswered(path: string): Promise<boolean> {
  const ask = exchange(path, `${JSON.stringify({ kind: 'status' })}\n`, AbortSignal.timeout(2000));
  const line = await ask.catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'denied') throw error;
    return '';
  });
  return line !== null;
}

/** null: nobody listens. */
function exchange(path: string, request: string, signal: AbortSignal): Promise<string | null> {
  // Nobody can listen there.
  if (isTooLong(path)) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    const give = () => {
      socket.destroy();
      const message = `the controller at ${path} does not answer`;
      reject(new PortError('timeout', message, { retriable: true }));
    };
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length <= replyCharactersMax) return;
      socket.destroy();
      reject(notAController(path));
    });
    socket.on('end', () => resolve(text));
    socket.on('error', (error) => {
      const code = 'code' in error ? error.code : '';
      if (
        code === 'ENOENT' ||
        code === 'ENOTDIR' ||
        code === 'ECONNREFUSED' ||
        code === 'ECONNRESET' ||
        code === 'EPIPE'
      )
        resolve(null);
      else if (code === 'EACCES' || code === 'EPERM') reject(denied(path, error));
      else
        reject(
          new PortError('unreachable', `the control socket ${path}: ${error.message}`, {
            retriable: true,
            cause: error,
          }),
        );
    });
    socket.on('close', () => signal.removeEventListener('abort', give));
  });
}

function denied(path: string, cause: Error): PortError {
  const message = `the control socket ${path} is another user's, and this one has no permission: run it as the owner of the state directory`;
  return new PortError('denied', message, { retriable: false, cause });
}
