/** Where an editor finds the JSON Schema when Drover is installed as a package beside the configuration. */
export const schemaLine = '# yaml-language-server: $schema=./node_modules/drover/schema/drover.schema.json';

/** What `drover init` writes. It passes `drover check`; so does the part that is commented out. */
export const exampleConfig = `${schemaLine}
#
# A fleet of one service, moved from one environment to another behind an HAProxy that is already there.
# All keys, units and defaults: docs/reference/configuration.md. Afterwards: drover check

version: 1
name: shop

# Places where services run. "none": your own tools own the instances, and Drover sees them only at the balancer.
# "local": Drover starts them as processes of this machine.
environments:
  classic: { provider: none }
  vpc: { provider: none }

# What spreads the traffic, and counts it. The socket needs "level admin" before Drover may turn weights.
balancers:
  edge:
    haproxy:
      socket: /run/haproxy/admin.sock # or 127.0.0.1:9999, or sockets: [...] for several processes
      config: /etc/haproxy/haproxy.cfg # tells what the socket does not: retries, stickiness, time-outs

services:
  query:
    owner: team-query
    kind: stateless
    # The fraction of attempts that may fail without users minding. "drover observe" shows what it is today.
    objective: { failures: 1% }
    # Which servers of which backend belong to which group. The destination's stand in haproxy.cfg with weight 0.
    traffic:
      - { balancer: edge, backend: query, origin: "classic-*", destination: "vpc-*" }
    # Evidence counts for one pair of builds: say what runs, or where instances tell it: { http: /version }
    origin: { environment: classic, build: v41 }
    destination: { environment: vpc, build: v41 }

# Pieces of work that each leave something of value, whatever comes after.
waves:
  - name: first
    services: [query]
    value: Queries are served from the new network, and the way back has been rehearsed.

# How services move. A service may override each key in a "rollout" of its own. These are the defaults.
rollout:
  steps:
    - { weight: 5%, bake: 5m }
    - { weight: 25%, bake: 5m }
    - { weight: 50%, bake: 5m }
  control-share: 5% # a last step leaves this much at the origin for comparison; 100% follows once it is promoted
  judge: { alpha: 0.1%, beta: 1%, tolerate: 2, bad: 3, dispersion: 3 }
  reserve: 20% # more than all present traffic is what the origin must be able to carry

# Who is told about each step:
# notify:
#   - { slack: "https://hooks.slack.example/services/...", emoji: ":truck:" }
#   - { webhook: "https://example.com/drover" }

# A service that Drover runs itself, with the environments and a balancer of its own:
# environments:
#   classic: { provider: local }
#   vpc: { provider: local }
# balancers:
#   edge: { embedded: { listen: "127.0.0.1:8080" } }
# services:
#   query:
#     ...
#     origin:
#       environment: classic
#       size: 2..6 # scales in this range; 4 would be fixed
#       capacity: 120/s # what one instance can carry; left out: the highest load seen
#       command: [node, server.mjs, "--port={port}"]
#       ports: 21000 # of the first instance
#       server: "classic-{index}"
#       health: /healthz
#     destination:
#       environment: vpc
#       size: 0..6
#       capacity: 120/s
#       command: [node, server.mjs, "--port={port}"]
#       ports: 21100
#       server: "vpc-{index}"
#       health: /healthz
`;
