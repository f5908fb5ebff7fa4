import { MalformedBytes } from '../bytes/malformed.ts';
import type { Api, Codec } from './api.ts';

/**
 * DescribeClientQuotas: what users and clients are limited to.
 *
 *   Request v1 (flexible) => [entity_type STRING, match_type INT8, match NULLABLE_STRING], strict BOOLEAN
 *   Response v1 => throttle_time_ms INT32, error_code INT16, error_message NULLABLE_STRING,
 *     NULLABLE [[entity_type STRING, entity_name NULLABLE_STRING], [key STRING, value FLOAT64]]
 *
 * All of them are asked for.
 */
export type DescribeQuotasRequest = Record<never, never>;
export type DescribeQuotasResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  /** Null with an error. */
  readonly quotas: readonly QuotaDescribed[] | null;
};
export type QuotaDescribed = {
  /** Name null: the default of that type. */
  readonly entity: readonly { readonly type: string; readonly name: string | null }[];
  /** `bits`: of a double, with which nobody here computes. */
  readonly values: readonly { readonly key: string; readonly bits: bigint }[];
};

const request: Codec<DescribeQuotasRequest> = {
  encode: (out) => {
    out.array([], true, () => undefined);
    out.boolean(false);
    out.tagged();
  },
  decode: (input) => {
    const { at } = input;
    const filters = input.array('filters', true, () => input.int8('filter'));
    const strict = input.boolean('strict');
    if (filters.length > 0 || strict) throw new MalformedBytes('filters', at, 'none', `${filters.length}`);
    input.tagged('tagged fields of DescribeClientQuotas');
    return {};
  },
};

const response: Codec<DescribeQuotasResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.stringOrNull(value.errorMessage, true);
    out.arrayOrNull(value.quotas, true, ({ entity, values }) => {
      out.array(entity, true, ({ type, name }) => {
        out.string(type, true);
        out.stringOrNull(name, true);
        out.tagged();
      });
      out.array(values, true, ({ key, bits }) => {
        out.string(key, true);
        out.bigint(bits);
        out.tagged();
      });
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const errorCode = input.int16('error code');
    const errorMessage = input.stringOrNull('error message', true);
    const quotas = input.arrayOrNull('quotas', true, () => {
      const entity = input.array('entity', true, () => {
        const part = { type: input.string('entity type', true), name: input.stringOrNull('entity name', true) };
        input.tagged('tagged fields of an entity');
        return part;
      });
      const values = input.array('values', true, () => {
        const value = { key: input.string('key', true), bits: input.bigint('value') };
        input.tagged('tagged fields of a value');
        return value;
      });
      input.tagged('tagged fields of a quota');
      return { entity, values };
    });
    input.tagged('tagged fields of DescribeClientQuotas');
    return { throttleMs, errorCode, errorMessage, quotas };
  },
};

export const describeQuotas: Api<DescribeQuotasRequest, DescribeQuotasResponse> = {
  name: 'DescribeClientQuotas',
  key: 48,
  oldest: 1,
  newest: 1,
  flexibleFrom: 1,
  request,
  response,
};
