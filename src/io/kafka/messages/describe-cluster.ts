import type { Api, Codec } from './api.ts';
import type { BrokerAddress, OperationBits } from './metadata.ts';

/**
 * The cluster itself, and what the user may do with it.
 *
 *   Request v0 (flexible) => include_cluster_authorized_operations BOOLEAN
 *   Response v0 => throttle_time_ms INT32, error_code INT16, error_message NULLABLE_STRING, cluster_id STRING,
 *     controller_id INT32, [broker_id INT32, host STRING, port INT32, rack NULLABLE_STRING],
 *     cluster_authorized_operations INT32
 */
export type DescribeClusterRequest = { readonly includeAuthorizedOperations: boolean };
export type DescribeClusterResponse = {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly clusterId: string;
  readonly controllerId: number | null;
  readonly brokers: readonly BrokerAddress[];
  readonly authorizedOperations: OperationBits;
};

const request: Codec<DescribeClusterRequest> = {
  encode: (out, _version, { includeAuthorizedOperations }) => {
    out.boolean(includeAuthorizedOperations);
    out.tagged();
  },
  decode: (input) => {
    const includeAuthorizedOperations = input.boolean('include authorized operations');
    input.tagged('tagged fields of DescribeCluster');
    return { includeAuthorizedOperations };
  },
};

const response: Codec<DescribeClusterResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.int16(value.errorCode);
    out.stringOrNull(value.errorMessage, true);
    out.string(value.clusterId, true);
    out.int32OrNull(value.controllerId);
    out.array(value.brokers, true, ({ nodeId, host, port, rack }) => {
      out.int32(nodeId);
      out.string(host, true);
      out.int32(port);
      out.stringOrNull(rack, true);
      out.tagged();
    });
    out.int32(value.authorizedOperations ?? notAsked);
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const errorCode = input.int16('error code');
    const errorMessage = input.stringOrNull('error message', true);
    const clusterId = input.string('cluster id', true);
    const controllerId = input.int32OrNull('controller id');
    const brokers = input.array('brokers', true, () => {
      const broker = {
        nodeId: input.int32('node id'),
        host: input.string('host', true),
        port: input.int32('port'),
        rack: input.stringOrNull('rack', true),
      };
      input.tagged('tagged fields of a broker');
      return broker;
    });
    const bits = input.int32('authorized operations');
    input.tagged('tagged fields of DescribeCluster');
    const authorizedOperations = bits === notAsked ? null : bits;
    return { throttleMs, errorCode, errorMessage, clusterId, controllerId, brokers, authorizedOperations };
  },
};

export const describeCluster: Api<DescribeClusterRequest, DescribeClusterResponse> = {
  name: 'DescribeCluster',
  key: 60,
  oldest: 0,
  newest: 0,
  flexibleFrom: 0,
  request,
  response,
};

const notAsked = -0x8000_0000;
