import { fetchApi } from '../../io/kafka/messages/fetch.ts';
import type { FetchRequest } from '../../io/kafka/messages/fetch-request.ts';
import type { FetchedPartition } from '../../io/kafka/messages/fetch-response.ts';
import type { Cluster } from '../../io/kafka/mover/ports.ts';
import type { Mutation } from './mutation.ts';
import { byCount } from './mutations/adopting.ts';
import { asExpected, askedOnce, asSettled, ownOnly, sentLater } from './mutations/answering.ts';
import { withoutEpochs, withoutHoles, withoutSecond } from './mutations/fetching.ts';
import { lineLater, otherChecksums } from './mutations/lines.ts';
import { asConsumer, fetched, ledgerWith, through } from './mutations/ports.ts';

/** Known-bad movers. The product has no branch for any of them. */
export const mutations: readonly Mutation[] = [
  {
    name: 'resend without read-back',
    seenIn: 2,
    shownBy: ['cut-after', 'late-answer'],
    caughtBy: ['what stands is not sent again', 'nothing is damaged while it is remembered'],
    target: asSettled,
  },
  {
    name: 'read-back at the high watermark only',
    seenIn: 76,
    shownBy: ['follower-stops'],
    caughtBy: ['what stands is not sent again'],
    target: (cluster) => through(cluster, { request: asConsumer }),
  },
  {
    name: 'two in flight with unknown state',
    seenIn: 279,
    shownBy: ['bit-flip', 'too-large', 'leader-moves'],
    caughtBy: ['nothing is damaged while it is remembered'],
    settings: (settings) => ({
      ...settings,
      window: { ...settings.window, expirationMs: Number.POSITIVE_INFINITY },
    }),
  },
  {
    name: 'old epoch at takeover',
    seenIn: 4,
    shownBy: [],
    caughtBy: ['an epoch has one writer'],
    ledger: (ledger) => ledgerWith(ledger, { epoch: 0, raiseEpoch: () => undefined }),
  },
  {
    name: 'base offset not checked',
    seenIn: 65,
    shownBy: ['stalled', 'foreign-write'],
    caughtBy: ['nothing is written behind damage'],
    target: asExpected,
  },
  {
    name: 'ledger line after the send',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['the line comes before the batch'],
    ledger: (ledger) => lineLater(ledger),
  },
  {
    name: 'aborted batches copied',
    seenIn: 7,
    shownBy: [],
    caughtBy: ['records equal'],
    source: (cluster) => changed(cluster, (partition) => ({ ...partition, abortedTransactions: null })),
  },
  {
    name: 'holes patched by lastOffsetDelta only',
    seenIn: 3,
    shownBy: ['compaction'],
    caughtBy: ['records equal'],
    source: (cluster) => changed(cluster, withoutHoles),
  },
  {
    name: 'a batch that did not come is a hole',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['no gap'],
    source: (cluster) => changed(cluster, withoutSecond),
  },
  {
    name: 'batches of strangers are not looked at',
    seenIn: 188,
    shownBy: ['foreign-write'],
    caughtBy: ['no duplicate'],
    target: ownOnly,
  },
  {
    name: 'the source is asked without epochs',
    seenIn: 213,
    shownBy: ['unclean-source'],
    caughtBy: ['damage never silent'],
    source: (cluster) =>
      through(cluster, {
        request: ({ api, request }) => (api.key === fetchApi.key ? withoutEpochs(request as FetchRequest) : request),
      }),
  },
  {
    name: 'lines of other checksums',
    seenIn: 181,
    shownBy: ['foreign-write'],
    caughtBy: ['damage has its cause'],
    ledger: (ledger) =>
      ledgerWith(ledger, { sentFrom: (target) => otherChecksums(ledger.sentFrom(target)), restore: () => false }),
  },
  {
    name: 'markers are holes',
    seenIn: 7,
    shownBy: [],
    caughtBy: ['offsets account exactly'],
    ledger: (ledger) =>
      ledgerWith(ledger, {
        append: (line, isProven) => ledger.append(line.kind === 'left' ? { ...line, why: 'hole' } : line, isProven),
      }),
  },
  {
    name: 'lines of no length',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['map monotone'],
    ledger: (ledger) =>
      ledgerWith(ledger, {
        append: (line, isProven) => {
          ledger.append({ kind: 'left', from: line.from, to: line.from, why: 'hole' });
          ledger.append(line, isProven);
        },
      }),
  },
  {
    name: 'the lease is not looked at',
    seenIn: 11,
    shownBy: ['mover-stands-still'],
    caughtBy: ['the lease holds'],
    settings: (settings) => ({ ...settings, sendBeforeMs: () => Number.POSITIVE_INFINITY }),
  },
  {
    name: 'what was given up is not waited for at the end',
    seenIn: 1028,
    shownBy: ['stalled', 'broker-stands-still'],
    caughtBy: ['the end is sure'],
    settings: (settings) => ({ ...settings, lateMsMax: 0 }),
  },
  {
    name: 'requests wait in the process before they are sent',
    seenIn: 1,
    shownBy: ['hold'],
    caughtBy: ['a hold holds'],
    target: (cluster, _ledgers, process) => sentLater(cluster, process),
  },
  {
    name: 'leaders are asked for once',
    seenIn: 25,
    shownBy: ['leader-moves', 'broker-crash'],
    caughtBy: ['everything ends'],
    target: askedOnce,
  },
  {
    name: 'a ledger is adopted by the counts of batches',
    seenIn: 220,
    shownBy: ['ledger-lost'],
    caughtBy: ['what is adopted is what was copied'],
    adoption: byCount,
  },
  {
    name: 'a ledger that cannot be synced is forgotten',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['the mover goes on'],
    ledger: (ledger) => ledgerWith(ledger, { sync: () => Promise.reject(new Error('no space left on the disk')) }),
  },
];

function changed(cluster: Cluster, change: (partition: FetchedPartition) => FetchedPartition): Cluster {
  return through(cluster, { response: (call, response) => fetched(call, response, change) });
}
