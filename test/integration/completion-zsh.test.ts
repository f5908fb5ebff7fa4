import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchZsh } from '../../scripts/fetch/zsh.ts';
import { cases, openPlace, type Place, plain } from './completion/place.ts';
import { linesUntil, openTerminal, type Terminal } from './completion/terminal.ts';

/** Whatever completion adds goes through `compadd`, which tells it here before it does it. */
const rc = `
if [[ -d $UNPACKED ]]; then
  module_path=($UNPACKED/usr/lib/*/zsh/*(/N))
  fpath=($UNPACKED/usr/share/zsh/functions/**/*(/N))
fi
autoload -Uz compinit && compinit -D -u
source $SCRIPT
setopt no_auto_list no_auto_menu no_beep
compadd() {
  if (( \${argv[(I)-[AOD]]} )); then builtin compadd "$@"; return; fi
  local -a __found
  builtin compadd -O __found "$@"
  print -rl -- $__found >> told
  builtin compadd "$@"
}
finished() { print -- '-- told' >> told; zle kill-whole-line }
zle -N finished
bindkey '^Xd' finished
print -- '-- told' >> told
`;

let place: Place;
let terminal: Terminal;
let seen = 1;

beforeAll(async () => {
  const zsh = await fetchZsh();
  place = openPlace('zsh');
  writeFileSync(join(place.directory, '.zshrc'), rc);
  const env = { ...place.env, ZDOTDIR: place.directory, UNPACKED: join(dirname(zsh), 'unpacked') };
  terminal = openTerminal(`'${zsh}' -d -i`, place.directory, env);
  await linesUntil(told(), 0, '-- told');
});

afterAll(async () => {
  await terminal.close();
  place.close();
});

describe('a key in zsh offers', () => {
  test.each(cases)('%j: %j', async (line, expected) => {
    terminal.type(`${line}\t\u0018d`);
    const lines = await linesUntil(told(), seen, '-- told');
    seen += lines.length;
    expect(plain(lines.slice(0, -1).filter(Boolean))).toEqual(plain(expected));
  });

  test('no name of a hostile file was run', () => {
    expect(existsSync(join(place.directory, 'pwned'))).toBe(false);
  });
});

function told(): string {
  return join(place.directory, 'told');
}
