import type { Api, Codec } from './api.ts';

/**
 * Deletes topics. By its id a topic is deleted that is this one, and not another one that was made under its name meanwhile.
 *
 *   Request v6 (flexible) => [name NULLABLE_STRING, topic_id UUID], timeout_ms INT32
 *   Response v6 => throttle_time_ms INT32, [name NULLABLE_STRING, topic_id UUID, error_code INT16,
 *     error_message NULLABLE_STRING]
 */
export type DeleteTopicsRequest = { readonly topics: readonly TopicToDelete[]; readonly timeoutMs: number };
/** One of the two. */
export type TopicToDelete = { readonly name: string | null; readonly topicId: string | null };
export type DeleteTopicsResponse = { readonly throttleMs: number; readonly topics: readonly TopicDeleted[] };
export type TopicDeleted = {
  readonly name: string | null;
  readonly topicId: string | null;
  readonly errorCode: number;
  readonly errorMessage: string | null;
};

const request: Codec<DeleteTopicsRequest> = {
  encode: (out, _version, value) => {
    out.array(value.topics, true, ({ name, topicId }) => {
      out.stringOrNull(name, true);
      out.uuidOrNull(topicId);
      out.tagged();
    });
    out.int32(value.timeoutMs);
    out.tagged();
  },
  decode: (input) => {
    const topics = input.array('topics', true, () => {
      const topic = { name: input.stringOrNull('topic', true), topicId: input.uuidOrNull('topic id') };
      input.tagged('tagged fields of a topic');
      return topic;
    });
    const timeoutMs = input.int32('timeout');
    input.tagged('tagged fields of DeleteTopics');
    return { topics, timeoutMs };
  },
};

const response: Codec<DeleteTopicsResponse> = {
  encode: (out, _version, value) => {
    out.int32(value.throttleMs);
    out.array(value.topics, true, ({ name, topicId, errorCode, errorMessage }) => {
      out.stringOrNull(name, true);
      out.uuidOrNull(topicId);
      out.int16(errorCode);
      out.stringOrNull(errorMessage, true);
      out.tagged();
    });
    out.tagged();
  },
  decode: (input) => {
    const throttleMs = input.int32('throttle time');
    const topics = input.array('topics', true, () => {
      const topic = {
        name: input.stringOrNull('topic', true),
        topicId: input.uuidOrNull('topic id'),
        errorCode: input.int16('error code'),
        errorMessage: input.stringOrNull('error message', true),
      };
      input.tagged('tagged fields of a topic');
      return topic;
    });
    input.tagged('tagged fields of DeleteTopics');
    return { throttleMs, topics };
  },
};

export const deleteTopics: Api<DeleteTopicsRequest, DeleteTopicsResponse> = {
  name: 'DeleteTopics',
  key: 20,
  oldest: 6,
  newest: 6,
  flexibleFrom: 4,
  request,
  response,
};
