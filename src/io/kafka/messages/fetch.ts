import type { Api } from './api.ts';
import { type FetchRequest, fetchRequest } from './fetch-request.ts';
import { type FetchResponse, fetchResponse } from './fetch-response.ts';

/** By name of topic: from version 13 on topics have ids instead, which brokers before 3.1 do not take. */
export const fetchApi: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  oldest: 11,
  newest: 12,
  flexibleFrom: 12,
  request: fetchRequest,
  response: fetchResponse,
};

/** No fetch session, no rack, as a client. */
export const wholeFetch = { replicaId: -1, sessionId: 0, sessionEpoch: -1, forgottenTopics: [], rack: '' } as const;
