/** The jobs of the direct backend's benchmark, their bounds, and the page that tells what came of them. */
import { median } from './measure.js';
import { formatSeconds } from './report.js';

export const fourGibibytes = 4 * 2 ** 30;

export type ApplianceJobId =
  | 'launch-cold'
  | 'launch-kept'
  | 'upload'
  | 'download'
  | 'upload-null'
  | 'calls'
  | 'memory-upload'
  | 'memory-download';

export interface ApplianceJob {
  readonly id: ApplianceJobId;
  readonly title: string;
  /** `launch`: our time must be at most so many times theirs. `rate`: our rate at least. `memory`: at most bytes. */
  readonly kind: 'launch' | 'rate' | 'memory';
  /** What the C library does beside it. */
  readonly peerDoes: ApplianceJobId;
  readonly must: number;
  readonly aim: number;
}

const rate = { kind: 'rate', must: 1, aim: 1.3 } as const;
const mebibyte = 2 ** 20;
/** The aim is that memory is flat; half as much again as a bare Node with the library has is the figure for it. */
const memory = { kind: 'memory', must: 150 * mebibyte, aim: 110 * mebibyte } as const;

export const applianceJobs: readonly ApplianceJob[] = [
  {
    id: 'launch-cold',
    title: 'launch to ready, cold',
    kind: 'launch',
    peerDoes: 'launch-cold',
    must: 1,
    aim: 0.8,
  },
  {
    id: 'launch-kept',
    title: 'launch to ready from the kept state',
    kind: 'launch',
    peerDoes: 'launch-cold',
    must: 1 / 4,
    aim: 1 / 8,
  },
  { id: 'upload', title: 'upload into ext4', peerDoes: 'upload', ...rate },
  { id: 'download', title: 'download from ext4 to /dev/null', peerDoes: 'download', ...rate },
  {
    id: 'upload-null',
    title: 'upload into a null device: the protocol alone',
    peerDoes: 'upload-null',
    ...rate,
  },
  {
    id: 'calls',
    title: 'small calls (`isFile` in a loop)',
    kind: 'rate',
    peerDoes: 'calls',
    must: 1,
    aim: 1.2,
  },
  {
    id: 'memory-upload',
    title: 'our memory while 4 GiB are uploaded',
    peerDoes: 'memory-upload',
    ...memory,
  },
  {
    id: 'memory-download',
    title: 'our memory while 4 GiB are downloaded',
    peerDoes: 'memory-download',
    ...memory,
  },
];

/** One number for each run. */
export interface Runs {
  readonly seconds: number[];
  /** Seconds of the client's own processor time, where they were measured. */
  readonly processor: number[];
  /** Seconds of qemu's processor time, where they were measured. */
  readonly guest: number[];
}

export interface ApplianceResult {
  readonly job: ApplianceJob;
  readonly ours: Runs;
  readonly theirs: Runs;
  readonly failures: string[];
  /** The most resident memory in the first and in the second half of the last run, in bytes. */
  memory?: readonly [number, number];
}

export interface ApplianceResults {
  readonly machine: readonly (readonly [string, string])[];
  readonly results: readonly ApplianceResult[];
  readonly runs: number;
  readonly fileInBytes: number;
  readonly callCount: number;
}

/** Ours beside theirs: of the times for a launch, of the rates for a rate; undefined where one has no figure. */
function ratioOf({ job, ours, theirs }: ApplianceResult): number | undefined {
  if (ours.seconds.length === 0 || theirs.seconds.length === 0) return undefined;
  const times = median(ours.seconds) / median(theirs.seconds);
  return job.kind === 'rate' ? 1 / times : times;
}

/** In words. */
export function applianceVerdict(result: ApplianceResult): string {
  const { job, failures } = result;
  if (failures.length > 0) return `**failed** (${failures.join('; ')})`;
  const found = job.kind === 'memory' ? result.memory && Math.max(...result.memory) : ratioOf(result);
  if (found === undefined) return 'not compared';
  const within = (bound: number): boolean => (job.kind === 'rate' ? found >= bound : found <= bound);
  if (within(job.aim)) return 'reaches the aim';
  return within(job.must) ? 'reaches the must' : '**falls short**';
}

const mebibytes = (bytes: number): string => `${(bytes / mebibyte).toFixed(0)} MiB`;

const boundText = ({ kind }: ApplianceJob, bound: number): string => {
  if (kind === 'memory') return `≤ ${mebibytes(bound)}`;
  if (kind === 'rate') return `≥ ${bound} ×`;
  return bound < 1 && Number.isInteger(1 / bound) ? `≤ 1/${1 / bound}` : `≤ ${bound} ×`;
};

/** The median, the fastest and the slowest run; of a rate also how much a second. */
function figure(
  { id, kind }: ApplianceJob,
  { seconds, processor, guest }: Runs,
  { fileInBytes, callCount }: ApplianceResults,
): string {
  if (seconds.length === 0) return '–';
  const middle = median(seconds);
  const spread = `${formatSeconds(middle)} (${formatSeconds(Math.min(...seconds))} … ${formatSeconds(Math.max(...seconds))})`;
  if (kind !== 'rate') return spread;
  const perSecond =
    id === 'calls' ? `${Math.round(callCount / middle)}/s` : `${mebibytes(fileInBytes / middle)}/s`;
  const own =
    processor.length === 0
      ? ''
      : `; processor: client ${formatSeconds(median(processor))}, qemu ${formatSeconds(median(guest))}`;
  return `${spread}, ${perSecond}${own}`;
}

export function applianceReport(results: ApplianceResults): string {
  const { machine, runs, fileInBytes, callCount } = results;
  const compared = results.results.filter(({ job }) => job.kind !== 'memory');
  const remembered = results.results.filter(({ job }) => job.kind === 'memory');
  return [
    '# Speed of the direct backend',
    '',
    'Written by `npm run bench -- appliance`. Ours and the C library (by python3-guestfs) did each job in turn, with the same',
    `appliance, both without KVM; a figure is the median of ${runs} runs (fastest … slowest). Files are of ${mebibytes(fileInBytes)},`,
    `in the page cache; ${callCount} small calls are one run. A ratio is what counts: of times for a launch, else of rates.`,
    "Without KVM the guest's own work is most of each figure, and the same for both.",
    '',
    ...machine.map(([what, value]) => `- ${what}: ${value}`),
    '',
    '| job | guestfs | libguestfs | ratio | must | aim | |',
    '|---|---|---|---|---|---|---|',
    ...compared.map((result) => {
      const { job, ours, theirs } = result;
      const ratio = ratioOf(result);
      return `| ${job.title} | ${figure(job, ours, results)} | ${figure(job, theirs, results)} | ${ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`} | ${boundText(job, job.must)} | ${boundText(job, job.aim)} | ${applianceVerdict(result)} |`;
    }),
    '',
    ...(remembered.length === 0
      ? []
      : [
          '| memory | most in the first half | most in the second half | time | must | aim | |',
          '|---|---|---|---|---|---|---|',
          ...remembered.map((result) => {
            const { job, ours, memory: [first, second] = [Number.NaN, Number.NaN] } = result;
            return `| ${job.title} | ${mebibytes(first)} | ${mebibytes(second)} | ${figure(job, ours, results)} | ${boundText(job, job.must)} | ${boundText(job, job.aim)} | ${applianceVerdict(result)} |`;
          }),
          '',
        ]),
  ].join('\n');
}
