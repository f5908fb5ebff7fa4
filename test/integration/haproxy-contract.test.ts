import { backendContract } from '../contract/backend.ts';
import { openHaproxy } from './haproxy-harness.ts';

backendContract('HAProxy', () => openHaproxy({ backend: ['balance roundrobin', 'retries 0'] }));
backendContract('HAProxy with health checks and redispatch', () =>
  openHaproxy({
    backend: ['balance roundrobin', 'option redispatch 1', 'option httpchk GET /health'],
    server: () => 'weight 100 check inter 100ms fall 1000 rise 1',
  }),
);
