import { expect, test } from 'vitest';
import { checkout } from '../../scripts/test/child.ts';
import { filesThatReach } from '../../scripts/test/needs.ts';

test('without HAProxy the demo is played all the same, with the embedded balancer', () => {
  const files = ['test/integration/demo.test.ts', 'test/integration/demo-haproxy.test.ts'];
  expect(filesThatReach('scripts/fetch/haproxy.ts', files, checkout)).toEqual([
    'test/integration/demo-haproxy.test.ts',
  ]);
});
