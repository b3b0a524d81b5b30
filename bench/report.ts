/** Writes what was measured as a page of Markdown, with the verdicts. */
import type { Bound, Job } from './job.js';
import { libraryJobs, memory } from './jobs.js';
import { type Measured, median, unmeasured } from './measure.js';

export interface JobResult {
  job: Job;
  /** By name: `ours` and the peers. */
  measured: Map<string, Measured>;
  /** Why the job was not run at all. */
  skipped?: string;
}

export interface Results {
  /** The jobs that were measured together; undefined: those of reading qcow2 and ext4, and of `auto`. */
  group: string | undefined;
  machine: [string, string][];
  missingPeers: string[];
  runs: number;
  fewerRuns: [string, number][];
  jobs: JobResult[];
  library: Record<string, number>;
  /** Of the build that this one is compared with; empty where there is none. */
  libraryBefore: Record<string, number>;
  libraryFailed: string[];
}

type Verdict = 'aim' | 'must' | 'missed' | 'not compared';

const words: Record<Verdict, string> = {
  aim: 'reaches the aim',
  must: 'reaches the must',
  missed: '**falls short**',
  'not compared': 'not compared',
};

export function formatSeconds(seconds: number): string {
  if (Number.isNaN(seconds)) return '–';
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

const formatMebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** The median and, in brackets, the fastest and the slowest run. */
function formatMeasured({ seconds, failed }: Measured): string {
  if (failed !== undefined) return `failed (${failed.replaceAll('|', '/').slice(0, 120)})`;
  const [low, high] = [Math.min(...seconds), Math.max(...seconds)];
  return `${formatSeconds(median(seconds))} (${formatSeconds(low)} … ${formatSeconds(high)})`;
}

const timesText = (times: number) =>
  times < 1 ? `≤ 1/${String(Math.round(10 / times) / 10)}` : `≤ ${String(times)} ×`;

type Clock = 'seconds' | 'processorSeconds';

/** Ours beside a peer's median, by the clock unless told; undefined where one of them has no figure. */
function ratio(result: JobResult, peer: string, clock: Clock = 'seconds'): number | undefined {
  const ours = result.measured.get('ours');
  const theirs = result.measured.get(peer);
  if (!ours?.[clock].length || !theirs?.[clock].length || ours.failed || theirs.failed) return undefined;
  return median(ours[clock]) / median(theirs[clock]);
}

const formatRatio = (found: number | undefined): string =>
  found === undefined ? '' : found < 1 ? `1/${(1 / found).toFixed(1)}` : `${found.toFixed(2)} ×`;

/** Whether every bound that can be compared holds; undefined where none can. */
function holds(result: JobResult, bounds: readonly Bound[]): boolean | undefined {
  let compared = 0;
  for (const { peer, times, clock } of bounds) {
    const found = ratio(result, peer, clock);
    if (found === undefined) continue;
    compared++;
    if (found > times) return false;
  }
  return compared === 0 ? undefined : true;
}

export function verdictOf(result: JobResult): Verdict {
  const ours = result.measured.get('ours');
  if (result.skipped !== undefined || ours?.failed !== undefined) return 'missed';
  const must = holds(result, result.job.must);
  if (must === undefined) return 'not compared';
  if (!must) return 'missed';
  return holds(result, result.job.aim) ? 'aim' : 'must';
}

function numberVerdict(value: number | undefined, must: number, aim: number, most: boolean): Verdict {
  if (value === undefined) return 'not compared';
  const within = (bound: number) => (most ? value <= bound : value >= bound);
  return within(aim) ? 'aim' : within(must) ? 'must' : 'missed';
}

function jobLines(result: JobResult): string[] {
  const { job, measured, skipped } = result;
  const lines = [`### ${job.title}`, ''];
  if (skipped !== undefined) return [...lines, `Not run: ${skipped}.`, ''];
  lines.push(
    '| who | median (fastest … slowest) | processor time | runs | ours beside it | by processor time | must | aim |',
    '|---|---|---|---|---|---|---|---|',
  );
  const bound = (bounds: readonly Bound[], name: string) => {
    const found = bounds.find(({ peer }) => peer === name);
    return found ? timesText(found.times) : '';
  };
  for (const [name, figures] of measured) {
    const beside = (clock: Clock) => (name === 'ours' ? '' : formatRatio(ratio(result, name, clock)));
    lines.push(
      `| ${[
        name,
        formatMeasured(figures),
        formatSeconds(median(figures.processorSeconds)),
        String(figures.seconds.length),
        beside('seconds'),
        beside('processorSeconds'),
        bound(job.must, name),
        bound(job.aim, name),
      ].join(' | ')} |`,
    );
  }
  for (const [name, seconds] of Object.entries(job.reference ?? {}))
    lines.push(
      `| ${name}, on another machine | ${formatSeconds(seconds)} | – | – | not compared | | ${bound(job.must, name)} | |`,
    );
  const used = measured.get('ours')?.memory;
  lines.push(
    '',
    `${words[verdictOf(result)]}${used === undefined ? '' : `; memory ${formatMebibytes(used)}`}.`,
    '',
  );
  return lines;
}

/** This build and the one that it is compared with, in one table; nothing where there is none. */
function beforeLines(results: Results): string[] {
  const rows = [
    ...results.jobs.flatMap((result): string[][] => {
      const [ours, before] = [result.measured.get('ours'), result.measured.get('before')];
      if (ours === undefined || before === undefined) return [];
      const times = [before, ours].flatMap(({ seconds, processorSeconds }) => [
        formatSeconds(median(seconds)),
        formatSeconds(median(processorSeconds)),
      ]);
      const [wasClock, wasProcessor, isClock, isProcessor] = times;
      return [
        [
          result.job.title,
          `${wasProcessor} → ${isProcessor}`,
          formatTimes(ratio(result, 'before', 'processorSeconds')),
          `${wasClock} → ${isClock}`,
          formatTimes(ratio(result, 'before')),
        ],
      ];
    }),
    ...libraryJobs.flatMap(({ id, title, unit }): string[][] => {
      const [was, is] = [results.libraryBefore[id], results.library[id]];
      if (was === undefined || is === undefined) return [];
      const change = `${was.toPrecision(3)} → ${is.toPrecision(3)} ${unit}`;
      return [[title, '', '', change, formatTimes(is / was)]];
    }),
  ];
  if (rows.length === 0) return [];
  return [
    '### Before and after',
    '',
    'Both builds ran in turn. A ratio above 1 is slower than before, of a throughput it is faster.',
    '',
    '| job | processor time | | on the clock | |',
    '|---|---|---|---|---|',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ];
}

const formatTimes = (found: number | undefined): string =>
  found === undefined ? '' : `${found.toFixed(2)} ×`;

function libraryLines(results: Results): string[] {
  const lines = [
    '### The library, in a running program',
    '',
    '| what | found | must | aim | |',
    '|---|---|---|---|---|',
  ];
  const heading = lines.length;
  for (const { id, title, unit, must, aim, most } of libraryJobs) {
    const value = results.library[id];
    if (value === undefined) continue;
    const sign = most ? '≤' : '≥';
    const shown = `${value.toFixed(unit === '×' ? 2 : value < 1 ? 2 : value < 10 ? 1 : 0)} ${unit}`;
    const verdict = words[numberVerdict(value, must, aim, most)];
    lines.push(
      `| ${title} | ${shown} | ${sign} ${String(must)} ${unit} | ${sign} ${String(aim)} ${unit} | ${verdict} |`,
    );
  }
  const all = results.library.memoryOfFifty;
  if (all !== undefined) lines.push('', `The program with 50 open handles used ${formatMebibytes(all)}.`);
  for (const failure of results.libraryFailed) lines.push('', `Failed: ${failure}`);
  return lines.length === heading ? [] : [...lines, ''];
}

function memoryLines(results: Results): string[] {
  const known = results.jobs.flatMap(({ job, measured }) => {
    const bytes = measured.get('ours')?.memory;
    return bytes === undefined ? [] : [{ title: job.title, bytes }];
  });
  const most = known.sort((a, b) => b.bytes - a.bytes)[0];
  if (!most) return ['Memory was not measured: nothing of ours ran, or /usr/bin/time is missing.', ''];
  const verdict = words[numberVerdict(most.bytes, memory.must, memory.aim, true)];
  return [
    `Memory: the most that one of our processes used is ${formatMebibytes(most.bytes)} (${most.title}); ` +
      `must ≤ ${formatMebibytes(memory.must)}, aim ≤ ${formatMebibytes(memory.aim)}: ${verdict}.`,
    '',
  ];
}

const titles: Readonly<Record<string, string>> = {
  formats: 'Speed of reading more formats',
  write: 'Speed of writing',
};

export function report(results: Results): string {
  const { group } = results;
  const command = group === undefined ? 'npm run bench' : `npm run bench -- ${group}`;
  const fewer = results.fewerRuns.map(([name, runs]) => `${name}: ${String(runs)}`).join(', ');
  return [
    `# ${titles[group ?? ''] ?? 'Speed'}`,
    '',
    `Written by \`${command}\`. Ours and the peers ran in turn, on the same images, with a warm page cache and behind`,
    `${String(unmeasured)} runs that are not counted (the first three of a command keep what V8 compiled); a figure is the median of`,
    `${String(results.runs)} runs of the whole process${fewer ? ` (of fewer for the slow ones: ${fewer})` : ''}.`,
    'A ratio is what counts: machines differ.',
    '',
    ...results.machine.map(([what, value]) => `- ${what}: ${value}`),
    ...results.missingPeers.map((name) => `- missing: ${name}`),
    '',
    ...beforeLines(results),
    ...results.jobs.flatMap(jobLines),
    ...memoryLines(results),
    ...libraryLines(results),
  ].join('\n');
}
