/** Of a process that copies, while it does: what it had taken in all when this part of the records was on the target. */
export type Sample = {
  readonly part: number;
  readonly atSeconds: number;
  readonly cpuSeconds: number;
  readonly targetCpuSeconds: number;
};

/** The part of the records by which MirrorMaker 2 is measured, so that neither its start nor its last fetches count. */
const [measuredFrom, measuredTo] = [0.5, 0.95];

/** What all of the copy would have taken at the pace of that part. */
export function scaled(samples: readonly Sample[]): Omit<Sample, 'part' | 'atSeconds'> & { readonly seconds: number } {
  const [one, other] = [sampleAt(samples, measuredFrom), sampleAt(samples, measuredTo)];
  const whole = (measured: (sample: Sample) => number) =>
    (measured(other) - measured(one)) / (measuredTo - measuredFrom);
  return {
    seconds: whole(({ atSeconds }) => atSeconds),
    cpuSeconds: whole(({ cpuSeconds }) => cpuSeconds),
    targetCpuSeconds: whole(({ targetCpuSeconds }) => targetCpuSeconds),
  };
}

/** Between the two samples around it, in proportion. */
function sampleAt(samples: readonly Sample[], part: number): Sample {
  const behind = samples.findIndex((sample) => sample.part >= part);
  const [one, other] = [samples[behind - 1], samples[behind]];
  if (one === undefined || other === undefined) throw new Error(`no samples around ${part} of the records`);
  const share = (part - one.part) / (other.part - one.part);
  const between = (low: number, high: number) => low + share * (high - low);
  return {
    part,
    atSeconds: between(one.atSeconds, other.atSeconds),
    cpuSeconds: between(one.cpuSeconds, other.cpuSeconds),
    targetCpuSeconds: between(one.targetCpuSeconds, other.targetCpuSeconds),
  };
}
