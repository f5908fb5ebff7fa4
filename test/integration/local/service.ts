import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

// A small service for the tests of the local provider: `node service.ts PORT BEHAVIOUR`.
const port = Number(process.argv[2]);
const behaviour = process.argv[3] ?? 'good';

if (behaviour === 'crash' || (behaviour === 'crash-without-catalogue' && !existsSync('catalogue'))) {
  process.stderr.write('cannot read the catalogue\n');
  process.exit(3);
}
if (behaviour === 'parent') {
  // A child that left the session and does not care for signals: what a careless service leaves behind.
  spawn(process.execPath, [import.meta.filename, '0', 'stubborn'], { detached: true, stdio: 'ignore' }).unref();
}
let ending = false;
process.on('SIGTERM', () => {
  if (behaviour === 'stubborn') return;
  ending = true;
  process.stdout.write('ending\n');
  setTimeout(() => process.exit(0), 100);
});
const server = createServer((request, response) => {
  if (request.url === '/build') return void response.end(`${process.env.BUILD ?? 'none'}\n`);
  if (behaviour === 'silent') return;
  const healthy = !ending && behaviour !== 'sick';
  return void response.writeHead(healthy ? 200 : 503).end();
});
server.listen(port, '127.0.0.1', () => process.stdout.write(`listening as ${process.env.INSTANCE}\n`));
