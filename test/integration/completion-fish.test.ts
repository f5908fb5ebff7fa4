import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchFish } from '../../scripts/fetch/fish.ts';
import { cases, openPlace, type Place, plain } from './completion/place.ts';

const run = promisify(execFile);

let place: Place;
let fish: string;

beforeAll(async () => {
  fish = await fetchFish();
  place = openPlace('fish');
});

afterAll(() => {
  place.close();
});

describe('a key in fish offers', () => {
  test.each(cases)('%j: %j', async (line, expected) => {
    const functions = join(dirname(fish), 'unpacked', 'usr', 'share', 'fish', 'functions');
    const commands = 'set -a fish_function_path $argv[2]; source $SCRIPT; complete -C $argv[1]';
    const { stdout, stderr } = await run(fish, ['--no-config', '-c', commands, line, functions], {
      cwd: place.directory,
      env: place.env,
    });
    expect(stderr).toBe('');
    const words = stdout.split('\n').filter(Boolean);
    expect(plain(words.map((word) => word.replace(/\t.*$/, '')))).toEqual(plain(expected));
  });

  test('no name of a hostile file was run', () => {
    expect(existsSync(join(place.directory, 'pwned'))).toBe(false);
  });
});
