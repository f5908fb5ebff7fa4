import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

function drawn(): number[] {
  const values: number[] = [];
  fc.assert(
    fc.property(fc.integer(), (value) => {
      values.push(value);
    }),
  );
  return values;
}

describe('properties are repeatable', () => {
  test('two runs draw the same values', () => {
    expect(drawn()).toEqual(drawn());
  });

  test('a property that fails says with which seed', () => {
    const failing = () => fc.assert(fc.property(fc.nat(), (value) => value < 3));
    const { seed } = fc.readConfigureGlobal();
    expect(seed).toEqual(expect.any(Number));
    expect(failing).toThrow(`seed: ${seed}`);
  });
});
