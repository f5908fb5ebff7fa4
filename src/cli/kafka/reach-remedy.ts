import { PortError } from '../../engine/ports.ts';
import { CliError } from '../context.ts';

/** Where no broker of a side can be reached: what to look at. */
export async function withReachRemedy<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PortError) || !error.message.includes('cannot be reached')) throw error;
    if (error.code !== 'unreachable' && error.code !== 'timeout') throw error;
    throw new CliError(error.message, error.message.includes('advertised') ? advertised : bootstrap, error);
  }
}

const bootstrap =
  '--source and --target take HOST:PORT of any of its brokers: does one run and listen there, and does a firewall let this machine through?';
const advertised =
  'clients are sent to the address in advertised.listeners of the broker: it has to be one that this machine can reach';
