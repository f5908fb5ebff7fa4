import { posix } from 'node:path';
import type { SourceFile } from './files.ts';
import { type Import, importsOf } from './imports.ts';
import type { Violation } from './rule.ts';

/**
 * Who may import whom. A room is a folder of `src/`; every `io/<noun>` is one of its own, so that a balancer cannot know a
 * provider. Only `src/world.ts` and `src/main.ts` may import all of them, so only they construct what touches the world. Test code and scripts
 * are free; examples are programs of their own; a bench measures what is delivered, and not what tests are made of,
 * but for the real brokers that a measurement needs as a test does.
 */
export function fence(file: SourceFile): Violation[] {
  const room = roomOf(file.path);
  if (room === null) return [];
  return importsOf(file)
    .filter((imported) => !allowed(room, file.path, imported))
    .map(({ line, specifier }) => ({
      path: file.path,
      line,
      found: `${room.name} imports ${specifier}`,
      instead: room.instead,
    }));
}

type Room = {
  readonly name: string;
  /** Paths, or beginnings of paths that end in a slash. */
  readonly mayImport: readonly string[];
  /** The same for imports that vanish with the types. */
  readonly mayImportTypes: readonly string[];
  /** `node:` modules and packages; null: any. */
  readonly packages: readonly string[] | null;
  readonly instead: string;
};

function roomOf(path: string): Room | null {
  if (path === 'src/world.ts' || path === 'src/main.ts') return null;
  const [top = '', folder = '', noun = ''] = path.split('/');
  if (top === 'examples' || top === 'bench') return rooms[top] ?? null;
  if (top !== 'src') return null;
  if (folder === 'io') return ioRoom(noun.replace(/\.ts$/, ''));
  return rooms[folder] ?? outsideOfRooms;
}

/** What a copy is made of and what touches no socket, no file and no clock (docs/decisions/0011). */
const pureOfKafka = ['bytes', 'messages', 'ledger', 'mover', 'channel'];

const rooms: Readonly<Record<string, Room>> = {
  core: {
    name: 'core',
    mayImport: ['src/core/'],
    mayImportTypes: [],
    packages: [],
    instead: 'pass the value or the fact in as an argument (the core imports only the core)',
  },
  engine: {
    name: 'engine',
    mayImport: ['src/engine/', 'src/core/'],
    mayImportTypes: [],
    packages: [],
    instead: 'take it through an interface of src/engine/ports.ts (the engine imports only engine and core)',
  },
  sim: {
    name: 'sim',
    mayImport: ['src/sim/', 'src/engine/', 'src/core/', ...pureOfKafka.map((room) => `src/io/kafka/${room}/`)],
    mayImportTypes: [],
    // The hash of the journal's chain: the same for the same bytes.
    packages: ['node:crypto'],
    instead:
      'simulate it behind src/engine/ports.ts, or pass it in (sim imports sim, engine, core, and of io/kafka bytes, messages, ledger, mover and channel)',
  },
  config: {
    name: 'config',
    mayImport: ['src/config/', 'src/core/'],
    mayImportTypes: [],
    packages: null,
    instead: 'move what both need to src/core/fleet (config imports only config and core)',
  },
  cli: {
    name: 'cli',
    mayImport: ['src/cli/', 'src/engine/', 'src/config/', 'src/core/'],
    mayImportTypes: [],
    packages: null,
    instead: 'reach the world through context.world of src/cli/context.ts (cli imports cli, engine, config and core)',
  },
  server: {
    name: 'server',
    mayImport: ['src/server/', 'src/engine/', 'src/config/', 'src/core/'],
    mayImportTypes: [],
    packages: null,
    instead: 'take it as an argument from src/main.ts (server imports server, engine, config and core)',
  },
  examples: {
    name: 'examples',
    mayImport: ['examples/'],
    mayImportTypes: [],
    packages: null,
    instead: 'copy the few lines: an example is a program that its reader could have written',
  },
  bench: {
    name: 'bench',
    // HAProxy comes from where the tests have it, and so do Kafka's brokers.
    mayImport: ['bench/', 'src/', 'scripts/fetch/', 'test/integration/kafka/lab/'],
    mayImportTypes: [],
    packages: null,
    instead:
      'measure what is delivered (bench imports bench, src, scripts/fetch and the Kafka laboratory), and keep the means in bench/',
  },
};

const outsideOfRooms: Room = {
  name: 'a file outside of the rooms',
  mayImport: [],
  mayImportTypes: [],
  packages: [],
  instead: 'put it into one of the folders that ARCHITECTURE.md lists, or name the new one in test/tidy/fence.ts',
};

/** Values of `core/observed` and of the journal's entry are the words in which io answers; the rest of the core decides. */
function ioRoom(noun: string): Room {
  return {
    name: `io/${noun}`,
    mayImport: [
      `src/io/${noun}/`,
      `src/io/${noun}.ts`,
      'src/engine/ports.ts',
      'src/core/observed/',
      'src/core/journal/entry.ts',
      // The mover performs what the core decides, for thousands of batches a second and without a journal between them.
      ...(noun === 'kafka' ? ['src/core/move/'] : []),
    ],
    mayImportTypes: ['src/core/', 'src/engine/operation-ports.ts', 'src/engine/move-ports.ts'],
    packages: null,
    instead: `return facts and let the caller decide (io/${noun} imports io/${noun}, src/engine/ports.ts, src/core/observed and types of the core)`,
  };
}

function allowed(room: Room, path: string, { specifier, typeOnly }: Import): boolean {
  if (!specifier.startsWith('.')) return room.packages === null || room.packages.includes(specifier);
  const target = posix.join(posix.dirname(path), specifier);
  const targets = typeOnly ? [...room.mayImport, ...room.mayImportTypes] : room.mayImport;
  return targets.some((place) => (place.endsWith('/') ? target.startsWith(place) : target === place));
}
