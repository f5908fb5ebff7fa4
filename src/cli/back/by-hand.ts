import { dirname, join } from 'node:path';
import { quoted } from '../command-at.ts';
import type { Context } from '../context.ts';
import { typedAtHaproxy } from '../plan/way-back-by-hand.ts';
import { filesOf } from './beside.ts';
import type { ExportedState } from './exported-state.ts';

type Found = ExportedState['asFound'][string];

/**
 * What is left to do after a way back that no journal will ever know of, as commands that a person can type: everything as the
 * rollout found it, and nothing left that a later rollout of its name would be taken for. The traffic is back already.
 */
export function asFoundByHand(context: Context, stateDirectory: string, exported: ExportedState): readonly string[] {
  const commands = exported.balancers.flatMap(({ balancer, backend }) =>
    context.world.openBackends(balancer, { backend }).flatMap(({ id, address }) => {
      const found = exported.asFound[id];
      if (found === undefined) return [`# how ${id} was found was not exported: compare it with its configuration`];
      return balancer.kind === 'haproxy'
        ? typedAtHaproxy(address, haproxyCommands(backend, found))
        : embedded(backend, balancer.socket, found);
    }),
  );
  return [
    ...commands,
    ...sizeLines(exported),
    `rm -f ${filesOf(stateDirectory, exported.operation).map(quoted).join(' ')}`,
  ];
}

/** None of them runs where one before it has failed: the last take away what is known of the way back. Comments come first. */
export function chained(lines: readonly string[]): readonly string[] {
  const isComment = (line: string) => line.startsWith('#');
  const commands = lines.filter((line) => !isComment(line));
  return [...lines.filter(isComment), ...commands.map((line, at) => (at < commands.length - 1 ? `${line} &&` : line))];
}

/** What a later rollout would not begin beside. */
export function awayByHand(journalFile: string): string {
  const away = join(dirname(journalFile), 'damaged');
  return `mkdir -p ${quoted(away)} && mv ${quoted(journalFile)}* ${quoted(away)}`;
}

/** Weights first: whoever is woken gets no more traffic than it was found with. */
function haproxyCommands(backend: string, found: Found): readonly string[] {
  const servers = Object.entries(found);
  return [
    ...servers.map(([name, { weight }]) => `set server ${backend}/${name} weight ${weight}`),
    ...destinationOf(found).map(([name, { admin }]) => `set server ${backend}/${name} state ${admin}`),
  ];
}

function embedded(backend: string, socket: string, found: Found): readonly string[] {
  const weights = Object.fromEntries(Object.entries(found).map(([name, { weight }]) => [name, weight]));
  const states = Object.fromEntries(destinationOf(found).map(([name, { admin }]) => [name, admin]));
  return [
    { id: 1, op: 'weights', backend, weights },
    { id: 2, op: 'states', backend, states },
  ].map((call) => `echo '${JSON.stringify(call)}' | socat stdio ${socket}`);
}

/** An origin server's state is never Drover's to write. */
function destinationOf(found: Found) {
  return Object.entries(found).filter(([, { side }]) => side === 'destination');
}

/** No command of Drover's does it: the provider has its own. */
function sizeLines({ sizes }: ExportedState): readonly string[] {
  return (['origin', 'destination'] as const).flatMap((side) => {
    const size = sizes?.[side];
    if (size == null) return [];
    return [
      `# the ${side}'s group was found with ${size.desired} instances, ${size.min} to ${size.max}: what the rollout has changed of that is left`,
    ];
  });
}
