import type { Api, Codec } from './api.ts';
import { apiVersionsKey } from './frames.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * What a broker speaks: the first question on every connection.
 *
 *   Request v0–v2 => (nothing)          v3 => client_software_name, client_software_version
 *   Response v0 => error_code INT16, [api_key INT16, min INT16, max INT16]
 *            v1 => …, throttle_time_ms INT32          v3 => flexible, with features as tagged fields
 *
 * A broker that does not know the asked version answers UNSUPPORTED_VERSION in the form of version 0, with what it speaks.
 */
export type ApiVersionsRequest = { readonly clientSoftwareName: string; readonly clientSoftwareVersion: string };
export type ApiVersionsResponse = {
  readonly errorCode: number;
  readonly apis: readonly ApiRange[];
  readonly throttleMs: number;
  /** What this broker could do; empty where nothing is told, as before version 3. */
  readonly supportedFeatures: readonly FeatureLevels[];
  readonly finalizedFeaturesEpoch: number | null;
  /** What the whole cluster has agreed on, such as metadata.version. */
  readonly finalizedFeatures: readonly FeatureLevels[];
};
export type ApiRange = { readonly apiKey: number; readonly oldest: number; readonly newest: number };
export type FeatureLevels = { readonly name: string; readonly least: number; readonly most: number };

const request: Codec<ApiVersionsRequest> = {
  encode: (out, version, { clientSoftwareName, clientSoftwareVersion }) => {
    if (version < 3) return;
    out.string(clientSoftwareName, true);
    out.string(clientSoftwareVersion, true);
    out.tagged();
  },
  decode: (input, version) => {
    if (version < 3) return { clientSoftwareName: '', clientSoftwareVersion: '' };
    const names = {
      clientSoftwareName: input.string('client software name', true),
      clientSoftwareVersion: input.string('client software version', true),
    };
    input.tagged('tagged fields of ApiVersions');
    return names;
  },
};

const response: Codec<ApiVersionsResponse> = {
  encode: (out, asked, value) => {
    const version = value.errorCode === unsupportedVersion ? 0 : asked;
    const flexible = version >= 3;
    out.int16(value.errorCode);
    out.array(value.apis, flexible, ({ apiKey, oldest, newest }) => {
      out.int16(apiKey);
      out.int16(oldest);
      out.int16(newest);
      if (flexible) out.tagged();
    });
    if (version >= 1) out.int32(value.throttleMs);
    if (flexible) writeTagged(out, value);
  },
  decode: (input, asked) => {
    const errorCode = input.int16('error code');
    const version = errorCode === unsupportedVersion ? 0 : asked;
    const flexible = version >= 3;
    const apis = input.array('api versions', flexible, () => {
      const api = {
        apiKey: input.int16('api key'),
        oldest: input.int16('oldest version'),
        newest: input.int16('newest version'),
      };
      if (flexible) input.tagged('tagged fields of an api version');
      return api;
    });
    const throttleMs = version >= 1 ? input.int32('throttle time') : 0;
    return { errorCode, apis, throttleMs, ...(flexible ? readTagged(input) : noFeatures) };
  },
};

export const apiVersions: Api<ApiVersionsRequest, ApiVersionsResponse> = {
  name: 'ApiVersions',
  key: apiVersionsKey,
  oldest: 0,
  newest: 3,
  flexibleFrom: 3,
  request,
  response,
};

/** The newest version that both speak; null: there is none. */
export function commonVersion(
  api: Pick<Api<unknown, unknown>, 'key' | 'oldest' | 'newest'>,
  spoken: readonly ApiRange[],
): number | null {
  const range = spoken.find(({ apiKey }) => apiKey === api.key);
  if (range === undefined) return null;
  const version = Math.min(api.newest, range.newest);
  return version >= Math.max(api.oldest, range.oldest) ? version : null;
}

const unsupportedVersion = 35;

type Features = Pick<ApiVersionsResponse, 'supportedFeatures' | 'finalizedFeaturesEpoch' | 'finalizedFeatures'>;

const noFeatures: Features = { supportedFeatures: [], finalizedFeaturesEpoch: null, finalizedFeatures: [] };

/** The levels that are supported are told from the lowest, the agreed ones from the highest. */
function writeTagged(out: WireWriter, value: Features): void {
  const { supportedFeatures: supported, finalizedFeaturesEpoch: epoch, finalizedFeatures: finalized } = value;
  out.tagged(
    [0, supported.length === 0 ? null : (tag) => writeFeatures(tag, supported, ({ least, most }) => [least, most])],
    [1, epoch === null ? null : (tag) => tag.int64(epoch)],
    [2, finalized.length === 0 ? null : (tag) => writeFeatures(tag, finalized, ({ least, most }) => [most, least])],
  );
}

function readTagged(input: WireReader): Features {
  const features: { -readonly [Name in keyof Features]: Features[Name] } = { ...noFeatures };
  input.tagged('tagged fields of ApiVersions', {
    0: (tag) => {
      features.supportedFeatures = readFeatures(tag, (least, most) => ({ least, most }));
    },
    1: (tag) => {
      features.finalizedFeaturesEpoch = tag.int64OrNull('epoch of the finalized features');
    },
    2: (tag) => {
      features.finalizedFeatures = readFeatures(tag, (most, least) => ({ least, most }));
    },
  });
  return features;
}

type Levels = Omit<FeatureLevels, 'name'>;

function writeFeatures(
  out: WireWriter,
  features: readonly FeatureLevels[],
  inOrder: (levels: Levels) => readonly [first: number, second: number],
): void {
  out.array(features, true, ({ name, ...levels }) => {
    out.string(name, true);
    for (const level of inOrder(levels)) out.int16(level);
    out.tagged();
  });
}

function readFeatures(input: WireReader, levelsOf: (first: number, second: number) => Levels): FeatureLevels[] {
  return input.array('features', true, () => {
    const name = input.string('feature', true);
    const levels = levelsOf(input.int16('level of a feature'), input.int16('level of a feature'));
    input.tagged('tagged fields of a feature');
    return { name, ...levels };
  });
}
