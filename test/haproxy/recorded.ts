import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unknown } from '../../src/core/observed/reading.ts';
import { AnswerReader } from '../../src/io/balancer/haproxy/answer-reader.ts';
import { configurationOf } from '../../src/io/balancer/haproxy/configuration-file.ts';
import type { FileFacts } from '../../src/io/balancer/haproxy/configuration-reader.ts';

export const recordedConfiguration = readFileSync(join(import.meta.dirname, 'recorded.cfg'), 'utf8');

/** What HAProxy 2.6.12 sent for the commands of a reading (replies/NAME.txt). */
export function recordedReply(name: string): string {
  return readFileSync(join(import.meta.dirname, 'replies', `${name}.txt`), 'utf8');
}

export function answersIn(reply: string, commands = 5): string[] {
  const reader = new AnswerReader(commands);
  reader.read(reply);
  return reader.complete;
}

export const noFile: FileFacts = unknown('haproxy.cfg was not given');

export function factsOf(backend: string, text = recordedConfiguration): FileFacts {
  const facts = configurationOf(text, backend);
  if (typeof facts === 'string') throw new Error(`${backend} is ${facts}`);
  return { facts };
}
