import { createServer } from 'node:http';

/** A server that can be killed: `node upstream-process.ts NAME`. Prints its port when it listens. */
const name = process.argv[2] ?? 'nameless';
const server = createServer({ keepAliveTimeout: 60_000 }, (_, response) => {
  response.writeHead(200, { 'content-length': name.length }).end(name);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  process.stdout.write(`${address.port}\n`);
});
// It goes when the test that started it goes.
process.stdin.on('end', () => process.exit(0)).resume();
