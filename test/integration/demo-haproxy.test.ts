import { beforeAll, test } from 'vitest';
import { fetchHaproxy } from '../../scripts/fetch/haproxy.ts';
import { endingWithNothingLeft, playsWell } from './demo/play.ts';

// The demo takes it from the cache of the checkout.
beforeAll(async () => {
  await fetchHaproxy();
});
endingWithNothingLeft();

test('every claim of the demo holds with HAProxy, and nothing is left', { timeout: 420_000 }, () =>
  playsWell('haproxy'),
);
