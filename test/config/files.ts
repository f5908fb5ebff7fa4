import { type Parsed, parseConfig } from '../../src/config/parse.ts';
import type { Problem } from '../../src/config/problem.ts';

export function parse(text: string): Parsed {
  return parseConfig(text, 'drover.yaml', '/srv/shop');
}

export function problemsOf(text: string): readonly Problem[] {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.problems;
}

/** A valid file of two services in which every section is used; one value per line, so that places are easy to tell. */
export const fullFile = `version: 1
name: analytics
environments:
  classic: { provider: local }
  vpc: { provider: local }
  old: { provider: none }
  new: { provider: none }
balancers:
  edge: { embedded: { listen: 127.0.0.1:8080 } }
  inner:
    haproxy:
      sockets: [./run/one.sock, 10.0.0.2:9999]
      config: ./haproxy.cfg
services:
  query:
    owner: team-query
    kind: stateless
    objective: { failures: 1.5% }
    dependencies:
      hard: [store]
      telemetry: []
    traffic:
      - { balancer: edge, backend: query, origin: "classic-*", destination: "vpc-*" }
    origin:
      environment: classic
      size: 2..6
      capacity: 120/s
      build: { files: [server.mjs] }
      command: [node, server.mjs, "--port={port}", 7]
      directory: ./query
      env: { MODE: fast, LEVEL: 3 }
      ports: 21000
      server: "classic-{index}"
      health: { path: /healthz, interval: 500ms }
      stop: 5s
    destination:
      environment: vpc
      size: 0..6
      command: [node, server.mjs, "--port={port}"]
      ports: 21100
      server: "vpc-{index}"
      health: /healthz
    rollout:
      judge: { tolerate: 1.5 }
      settle: 90s
  store:
    owner: team-store
    kind: stateful
    objective: { failures: 0.001 }
    traffic: { balancer: inner, backend: store, origin: "old-?", destination: "new-?" }
    origin: { environment: old, build: 1.10 }
    destination: { environment: new, build: { http: /version } }
waves:
  - name: first
    services: [query]
    value: Queries leave the old network.
  - { name: second, services: [store], value: So does the data. }
rollout:
  steps:
    - { capacity: 2 }
    - { weight: 50%, instances: 4, bake: 2m }
    - { weight: 95% }
  judge: { alpha: 0.2%, dispersion: 2 }
  control-share: 5%
  reserve: 25%
  drill: { requests: 10 }
notify:
  - { slack: "https://hooks.example/services/T0/B0/s3cret", emoji: ":truck:" }
  - { webhook: "https://example.com/hook?token=s3cret" }
`;

/** Replaces the first occurrence of `from`, which has to be there. */
export function edited(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the file does not contain ${from}`);
  return text.replace(from, () => to);
}
