import { readFileSync } from 'node:fs';
import { type Behaviour, startServer } from './servers.ts';

// An instance of the local provider: `node local-service.ts PORT NAME FILE`, where the file holds its behaviour.
const [port = '', name = '', file = ''] = process.argv.slice(2);
const behaviour: Behaviour & { readonly crashes?: true } = JSON.parse(readFileSync(file, 'utf8'));
if (behaviour.crashes) {
  process.stderr.write('cannot read the catalogue\n');
  process.exit(3);
}
const server = await startServer(name, behaviour, Number(port));
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
