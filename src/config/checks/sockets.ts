import { resolve } from 'node:path';
import type { BalancerFields } from '../grammar.ts';
import { defaultControlSocket, isAddress } from '../names.ts';
import type { Position } from '../problem.ts';
import { valueIn } from '../shape.ts';
import type { Checking } from './checking.ts';

/** Every address belongs to one balancer: a process that is named twice would be counted twice. */
export function checkSockets(checking: Checking): void {
  const users = new Map<string, string>();
  for (const [name, { at, value }] of valueIn(checking.file.balancers) ?? []) {
    for (const address of addressesOf(name, at, value)) {
      const place = isAddress(address.written) ? address.written : resolve(checking.directory, address.written);
      if (!isAddress(place)) checkLength(checking, address, place);
      const other = users.get(place);
      if (other !== undefined) {
        const message = `${address.path}: the same as ${other}`;
        checking.problem({ ...address.at, message, expected: 'one balancer, and one entry, for each address' });
      }
      users.set(place, other ?? address.path);
    }
  }
}

type Address = {
  readonly written: string;
  readonly at: Position;
  readonly path: string;
  readonly bytesMax: number;
};

/** What the kernel takes, and what the embedded balancer leaves of it for names beside the socket. */
const bytesMax = { haproxy: 107, embedded: 103 } as const;

function addressesOf(name: string, at: Position, balancer: BalancerFields): Address[] {
  const addresses: Address[] = [];
  const haproxy = valueIn(balancer.haproxy);
  if (haproxy !== undefined) {
    const path = `balancers.${name}.haproxy`;
    const socket = valueIn(haproxy.socket);
    const ofHaproxy = { bytesMax: bytesMax.haproxy };
    if (socket !== undefined) {
      addresses.push({ ...ofHaproxy, written: socket, at: haproxy.socket.at, path: `${path}.socket` });
    }
    for (const [index, item] of (valueIn(haproxy.sockets) ?? []).entries()) {
      addresses.push({ ...ofHaproxy, written: item.value, at: item.at, path: `${path}.sockets[${index}]` });
    }
  }
  const embedded = valueIn(balancer.embedded);
  if (embedded !== undefined) {
    const path = `balancers.${name}.embedded`;
    const control = valueIn(embedded.socket);
    const controlAt = control === undefined ? at : embedded.socket.at;
    const written = control ?? defaultControlSocket(name);
    addresses.push({ written, at: controlAt, path: `${path}.socket`, bytesMax: bytesMax.embedded });
    const listen = valueIn(embedded.listen);
    if (listen !== undefined)
      addresses.push({ written: listen, at: embedded.listen.at, path: `${path}.listen`, bytesMax: 0 });
  }
  return addresses;
}

function checkLength(checking: Checking, address: Address, place: string): void {
  const bytes = new TextEncoder().encode(place).length;
  if (bytes <= address.bytesMax) return;
  checking.problem({
    ...address.at,
    message: `${address.path}: the path of the socket is too long for the operating system`,
    expected: `at most ${address.bytesMax} bytes, counted from the root`,
    found: `${bytes} bytes`,
    suggestion: 'name a shorter one, such as /run/drover/edge.sock',
  });
}
