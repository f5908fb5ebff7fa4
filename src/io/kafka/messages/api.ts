import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/** One kind of request and its response, in the versions that Drover speaks, in both directions. */
export type Api<Request, Response> = {
  readonly name: string;
  readonly key: number;
  readonly oldest: number;
  readonly newest: number;
  /** From this version on lengths are of variable size and there are tagged fields, in the headers too; null: never. */
  readonly flexibleFrom: number | null;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
};

export type Codec<T> = {
  readonly encode: (out: WireWriter, version: number, value: T) => void;
  readonly decode: (input: WireReader, version: number) => T;
};

export function isFlexible(api: Pick<Api<unknown, unknown>, 'flexibleFrom'>, version: number): boolean {
  return api.flexibleFrom !== null && version >= api.flexibleFrom;
}
