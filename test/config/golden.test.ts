import { expect, test } from 'vitest';
import { formatProblem } from '../../src/config/problem.ts';
import { problemsOf } from './files.ts';

const manyProblems = `version: 1
name: shop
environments:
  classic: { provider: none }
  vpc: { provider: locl }
balancers:
  edge: { haproxy: { config: ./haproxy.cfg } }
services:
  query:
    owner: team-query
    kind: stateless
    objectiv: { failures: 1% }
    dependencies: { hard: [cahce] }
    traffic: { balancer: edge, backend: query, origin: "web-*", destination: "web-vpc-*" }
    origin: { environment: classic, build: v41 }
    destination: { environment: vcp, build: v41 }
  cache:
    owner: team-cache
    kind: stateful
    kind: stateless
    objective: { failures: 1.5 }
    traffic: { balancer: edge, backend: cache, origin: "classic-*", destination: "vpc-*" }
    origin: { environment: classic, build: v7 }
    destination: { environment: vpc, build: v7 }
rollout:
  steps: [{ weight: 25%, bake: 5 }, { weight: 10% }]
notify:
  - { slack: hooks.example/T0/s3cret }
`;

test('a file with many problems, as check prints it', () => {
  const printed = problemsOf(manyProblems).map(formatProblem).join('\n\n');
  expect(`\n${printed}\n`).toMatchInlineSnapshot(`
    "
    drover.yaml:5:20  environments.vpc.provider: not a value that fits here
        expected  none or local
        found     "locl"
        hint      did you mean "local"?

    drover.yaml:7:11  balancers.edge.haproxy: a key is missing
        expected  socket or sockets
        found     neither

    drover.yaml:9:3  services.query.objective is missing
        expected  the failure rate that its users accept, since it is to be rolled out: without one a perfect service could never be promoted
        found     nothing
        hint      for example objective: { failures: 1% }; \`drover observe\` shows the rate of today

    drover.yaml:12:5  services.query: there is no key "objectiv" here
        expected  one of owner, kind, objective, dependencies, traffic, origin, destination, rollout
        hint      did you mean "objective"?

    drover.yaml:13:28  services.query.dependencies.hard: there is no such service
        expected  one of query, cache
        found     "cahce"
        hint      did you mean "cache"?

    drover.yaml:14:78  services.query.traffic[0].destination: fits servers that belong to the origin of query (line 14)
        expected  patterns of which each server fits at most one
        found     "web-*" and "web-vpc-*": a server named web-vpc- would fit both

    drover.yaml:16:33  services.query.destination.environment: there is no such environment
        expected  one of classic, vpc
        found     "vcp"
        hint      did you mean "vpc"?

    drover.yaml:20:5  the key "kind" is here a second time
        hint      it is already on line 19; keep one of them

    drover.yaml:21:28  services.cache.objective.failures: not a value that fits here
        expected  a fraction above 0% to below 100%, such as 5% or 0.05
        found     the number 1.5
        hint      write 1.5% for a percentage

    drover.yaml:26:32  rollout.steps[0].bake: not a value that fits here
        expected  a duration from 0s to 14d, such as 250ms, 30s, 5m, 1h
        found     the number 5
        hint      with its unit: 5s, 5ms …

    drover.yaml:26:47  rollout.steps: the share would go down
        expected  at least 25%
        found     10%

    drover.yaml:28:14  notify[0].slack: not a value that fits here
        expected  the address of a Slack-compatible webhook
        found     a value that is not repeated here, as it may be a secret
        hint      it begins with https:// or http://
    "
  `);
});
