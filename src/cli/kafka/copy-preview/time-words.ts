import { whole } from '../../terminal/figures.ts';
import { amount } from '../verify/progress.ts';
import type { CopyPreview, OneInFlight, PartitionPreview } from './preview.ts';

/** How long it takes, what slows it down, and where retention is faster. */
export function timeLines(preview: CopyPreview): string[] {
  return [durationLine(preview), ...flightLines(preview.oneInFlight), ...raceLines(preview.partitions)];
}

function durationLine({ bytes, rate, time, partitions }: CopyPreview): string {
  const appended = partitions.reduce((sum, { appendedPerSecond: one }) => sum + (one.known ? one.value : 0), 0);
  const growth = appended > 0 ? `; meanwhile about ${whole(appended)} records a second are appended` : '';
  if (rate === null || time === null)
    return `${amount(bytes)} without a limit of rate: as fast as the brokers take it${growth}`;
  const bound = {
    'source broker': 'the busiest broker of the source at its rate',
    'target brokers': 'the brokers of the target at their rate',
    'one request in flight': 'the round trips of single requests',
  }[time.boundBy];
  return `${amount(bytes)} at ${amount(rate)}/s for each broker: about ${durationWords(time.ms)}, bound by ${bound}${growth}`;
}

function flightLines(flight: OneInFlight): string[] {
  const { memoryMs, roundTripMs, partitions, bytes, partitionRate, memoryWantedMs } = flight;
  if (partitions === 0) return [];
  const why = memoryMs.known
    ? `are older than the ${durationWords(memoryMs.value)} for which the target remembers a producer`
    : `may be older than the target remembers a producer (${memoryMs.why})`;
  const trip = roundTripMs.known ? ` at a round trip of ${roundTripMs.value.toFixed(1)} ms` : '';
  const speed = partitionRate === null ? '' : `: at most ${amount(partitionRate)}/s for each partition${trip}`;
  const remedy =
    memoryWantedMs === null
      ? []
      : [
          `producer.id.expiration.ms=${memoryWantedMs} in the configuration of the target's brokers (and a restart) would allow several at once`,
        ];
  return [`${amount(bytes)} in ${whole(partitions)} partitions ${why}, and go one batch at a time${speed}`, ...remedy];
}

function raceLines(partitions: readonly PartitionPreview[]): string[] {
  const overtaken = partitions.flatMap(({ race, ...partition }) =>
    race.kind === 'overtaken' ? [{ ...partition, race }] : [],
  );
  const sorted = overtaken.toSorted((one, other) => one.race.inMs - other.race.inMs);
  const lines = sorted.slice(0, linesMax).map(({ topic, partition, race }) => {
    const when = race.inMs === 0 ? 'now' : `in ${durationWords(race.inMs)}`;
    return `${topic}-${partition}: the source's retention by ${race.by} overtakes the copy ${when}: raise it there, or the rate`;
  });
  if (sorted.length > linesMax) lines.push(`and ${sorted.length - linesMax} more partitions: --json has all of them`);
  const due = partitions.filter(({ race }) => race.kind === 'due').length;
  if (due > 0)
    lines.push(
      `the oldest records of ${whole(due)} partitions may be deleted at any moment: those would be a named gap`,
    );
  const unknown = Map.groupBy(
    partitions.flatMap(({ race }) => (race.kind === 'unknown' ? [race.why] : [])),
    (why) => why,
  );
  for (const [why, all] of unknown)
    lines.push(`whether retention overtakes ${whole(all.length)} partitions is not known: ${why}`);
  return lines;
}

const linesMax = 10;

export function durationWords(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return `${Math.max(1, Math.round(ms))} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${(seconds / 86_400).toFixed(seconds < 864_000 ? 1 : 0)} days`;
}
