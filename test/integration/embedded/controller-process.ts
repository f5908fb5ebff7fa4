import { embeddedBackend } from '../../../src/io/balancer/embedded/backend.ts';
import { startEmbedded } from '../../../src/io/balancer/embedded/lifecycle.ts';

/** A controller to be killed: starts the balancer, writes a weight, prints the balancer's pid and waits. */
const [directory = '', config = ''] = process.argv.slice(2);
const running = await startEmbedded(JSON.parse(config), directory);
await embeddedBackend(running.socket, 'web').setWeights({ 'only-1': 77 }, AbortSignal.timeout(20_000));
process.stdout.write(`${running.pid}\n`);
setInterval(() => {}, 1000);
