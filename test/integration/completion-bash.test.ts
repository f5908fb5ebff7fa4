import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases, openPlace, type Place, plain } from './completion/place.ts';
import { linesUntil, openTerminal, type Terminal } from './completion/terminal.ts';

/** ESC * puts every completion into the line, and then the line is told. */
const rc = `
source "$SCRIPT"
bind 'set bell-style none'
tell() { printf '%s\\n-- told\\n' "$READLINE_LINE" >> told; READLINE_LINE=; }
bind -x '"\\C-xd": tell'
echo '-- told' >> told
`;

let place: Place;
let terminal: Terminal;
let seen = 1;

beforeAll(async () => {
  place = openPlace('bash');
  writeFileSync(join(place.directory, '.rc'), rc);
  terminal = openTerminal('bash --noprofile --rcfile .rc -i', place.directory, place.env);
  await linesUntil(told(), 0, '-- told');
});

afterAll(async () => {
  await terminal.close();
  place.close();
});

describe('a key in bash offers', () => {
  test.each(cases)('%j: %j', async (line, expected) => {
    expect(plain(await offered(line))).toEqual(plain(expected));
  });

  test('no name of a hostile file was run', () => {
    expect(existsSync(join(place.directory, 'pwned'))).toBe(false);
  });
});

test('names are told without a word to the balancer', async () => {
  let connections = 0;
  const socket = join(place.directory, 'balancer.sock');
  const server = createServer(() => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const text = `balancers:\n  edge: { haproxy: { sockets: [${socket}] } }\nservices:\n  search: {}\n`;
  writeFileSync(join(place.directory, 'live.yaml'), text);
  expect(await offered('drover plan --config live.yaml s')).toEqual(['search']);
  await new Promise((resolve) => server.close(resolve));
  expect(connections).toBe(0);
});

async function offered(line: string): Promise<string[]> {
  terminal.type(`${line}\u001b*\u0018d`);
  const lines = await linesUntil(told(), seen, '-- told');
  seen += lines.length;
  const [edited = ''] = lines;
  // A word begins behind a space or an equals sign; where nothing is offered the line stays as it was.
  const kept = /^.*[ =]/.exec(line)?.[0] ?? '';
  expect(edited.startsWith(kept)).toBe(true);
  return edited === line ? [] : edited.slice(kept.length).split(' ').filter(Boolean);
}

function told(): string {
  return join(place.directory, 'told');
}
