import type { Api, Codec } from './api.ts';

/**
 * The groups that one broker coordinates.
 *
 *   Request v4 (flexible) => [state STRING]
 *   Response v4 => throttle_time_ms INT32, error_code INT16, [group_id STRING, protocol_type STRING, group_state STRING]
 */
export type ListGroupsRequest = {
  /** None: all. */
  readonly states: readonly string[];
};
export type ListGroupsResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly groups: readonly GroupListed[];
};
export type GroupListed = { readonly group: string; readonly protocolType: string; readonly state: string };

const request: Codec<ListGroupsRequest> = {
  encode: (out, _version, { states }) => {
    out.array(states, true, (state) => out.string(state, true));
    out.tagged();
  },
  decode: (input) => {
    const states = input.array('states', true, () => input.string('state', true));
    input.tagged('tagged fields of ListGroups');
    return { states };
  },
};

const response: Codec<ListGroupsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.array(value.groups, true, ({ group, protocolType, state }) => {
      out.string(group, true);
      out.string(protocolType, true);
      out.string(state, true);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const errorCode = input.int16('error code');
    const groups = input.array('groups', true, () => {
      const group = {
        group: input.string('group', true),
        protocolType: input.string('protocol type', true),
        state: input.string('state', true),
      };
      input.tagged('tagged fields of a group');
      return group;
    });
    input.tagged('tagged fields of ListGroups');
    return { throttleMs, errorCode, groups };
  },
};

export const listGroups: Api<ListGroupsRequest, ListGroupsResponse> = {
  name: 'ListGroups',
  key: 16,
  oldest: 4,
  newest: 4,
  flexibleFrom: 3,
  request,
  response,
};
