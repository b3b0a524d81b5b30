/**
 * The benchmarks: `npm run bench -- [--quick] [--only ID[,ID…]] [--continue] [--slow-runs N] [--images DIRECTORY] [--out FILE] [--note TEXT]`.
 * `--slow-runs` is how often a peer runs that takes many seconds each time: 3 unless told.
 * `--continue` does not measure again what earlier runs of the same build have measured; so a run that was interrupted
 * goes on, and `--only` makes one in pieces. The page is written by the run that has everything.
 * `--note` is printed with the machine: how the run was made, where that matters.
 * `--quick` runs everything once, without the slow peers, to see that it works; the figures mean nothing then.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Job, jobs, type Peer, type PeerName, peers } from './jobs.js';
import {
  ask,
  type Contender,
  inTurn,
  type Measured,
  memoryOf,
  type Place,
  reasonIn,
  run,
} from './measure.js';
import { Pieces } from './pieces.js';
import { type JobResult, type Results, report, verdictOf } from './report.js';

const root = resolve(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    continue: { type: 'boolean', default: false },
    'slow-runs': { type: 'string', default: '3' },
    note: { type: 'string' },
    images: { type: 'string', default: join(root, '.cache/images') },
    out: { type: 'string', default: join(root, 'bench/RESULTS.md') },
  },
});
const only = options.only?.split(',');
const wanted = (id: string) => !only || only.includes(id);
const ourRuns = options.quick ? 1 : 5;

mkdirSync(join(root, '.cache'), { recursive: true });
const place: Place = {
  images: resolve(options.images),
  scratch: mkdtempSync(join(root, '.cache/bench-')),
  command: `${process.execPath} ${join(root, 'dist/cli.cjs')}`,
};
const say = (text: string) => process.stderr.write(`${text}\n`);
const slowRuns = Math.min(Number(options['slow-runs']), ourRuns);
const pieces = new Pieces(join(root, '.cache/benchmarks'), join(root, 'dist'), { fresh: !options.continue });

const installed = new Map<PeerName, string>();
const missingPeers = ['dissect (a Python package; its figures are of another machine)'];
for (const [name, peer] of Object.entries(peers) as [PeerName, Peer][]) {
  if (run(`command -v ${peer.program}`, place).failed === undefined)
    installed.set(name, ask(peer.version, place));
  else missingPeers.push(`${name} (${peer.program})`);
}

function measure(job: Job): JobResult {
  const absent = job.images.filter((name) => !existsSync(join(place.images, name)));
  if (absent.length > 0)
    return {
      job,
      measured: new Map(),
      skipped: `${absent.join(', ')} is missing (scripts/images/real.sh makes it)`,
    };
  if (job.prepare) {
    const { failed } = run(job.prepare, place);
    if (failed !== undefined)
      return { job, measured: new Map(), skipped: `its preparation failed (${failed})` };
  }
  const contenders: Contender[] = [{ name: 'ours', line: job.ours, runs: ourRuns }];
  for (const [name, line] of Object.entries(job.peers) as [PeerName, string][]) {
    const isSlow = (peers[name] as Peer).runs !== undefined;
    const runs = isSlow ? slowRuns : ourRuns;
    if (!installed.has(name) || (options.quick && name === 'libguestfs')) continue;
    contenders.push({ name, line, runs });
  }
  const measured = inTurn(contenders, place, (text) => {
    say(`  ${text}`);
  });
  run('rm -rf $T/tree.*', place);
  const ours = measured.get('ours');
  const memory = ours && ours.failed === undefined ? memoryOf(job.ours, place) : undefined;
  if (ours && memory !== undefined) ours.memory = memory;
  return { job, measured };
}

/** What was kept of a job, or what is measured now; undefined for one that is neither there nor wanted. */
function resultOf(job: Job): JobResult | undefined {
  const kept = pieces.find(job.id) as { measured: [string, Measured][]; skipped?: string } | undefined;
  if (kept) return { job, ...kept, measured: new Map(kept.measured) };
  if (!wanted(job.id)) return undefined;
  say(job.title);
  const { measured, skipped } = measure(job);
  const result = skipped === undefined ? {} : { skipped };
  if (!options.quick) pieces.keep(job.id, { measured: [...measured], ...result });
  return { job, measured, ...result };
}

/** Runs library.js in a program of its own, three times for what is measured once in a program, and takes the medians. */
function library(what: string, times: number, failures: string[]): Record<string, number> {
  const found: Record<string, number[]> = {};
  for (let count = 0; count < times; count++) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(root, 'build/bench/library.js'),
        join(root, 'dist/index.js'),
        join(place.images, 'debian.qcow2'),
        what,
      ],
      { encoding: 'utf8', timeout: 600_000 },
    );
    if (status !== 0) {
      failures.push(`${what}: ${reasonIn(stderr)}`);
      return {};
    }
    for (const [key, value] of Object.entries(JSON.parse(stdout) as Record<string, number>)) {
      found[key] ??= [];
      found[key].push(value);
    }
  }
  const middle = (values: number[]) =>
    values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return Object.fromEntries(Object.entries(found).map(([key, values]) => [key, middle(values)]));
}

try {
  const results: Results = {
    machine: [
      ['processor', `${String(cpus().length)} × ${cpus()[0]?.model.trim() ?? 'unknown'}`],
      ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
      ['kernel', `Linux ${release().replace(/-.*/, '')}`],
      ['Node', process.version],
      ...[...installed]
        .filter(([name]) => name !== 'node')
        .map(([name, version]): [string, string] => [name, version]),
      ...(options.note === undefined ? [] : [['note', options.note] as [string, string]]),
    ],
    missingPeers,
    runs: ourRuns,
    fewerRuns: (Object.entries(peers) as [PeerName, Peer][]).flatMap(
      ([name, { runs }]): [string, number][] =>
        runs === undefined || !installed.has(name) ? [] : [[name, slowRuns]],
    ),
    jobs: [],
    library: {},
    libraryFailed: [],
  };
  let complete = true;
  for (const job of jobs) {
    const result = resultOf(job);
    if (result) results.jobs.push(result);
    else complete = false;
  }
  const times = options.quick ? 1 : 5;
  for (const [what, repeats] of [
    ['handles', times],
    ['fifty', 1],
    ['private', 1],
  ] as const) {
    let found = pieces.find(what) as Record<string, number> | undefined;
    if (!found && wanted(what)) {
      say(`library: ${what}`);
      found = library(what, repeats, results.libraryFailed);
      if (!options.quick && Object.keys(found).length > 0) pieces.keep(what, found);
    }
    if (found) Object.assign(results.library, found);
    else complete = false;
  }
  const text = report(results);
  process.stdout.write(text);
  if (!options.quick && complete) {
    writeFileSync(options.out, text);
    say(`written to ${options.out}`);
  }
  const failed = results.jobs.filter((result) => result.measured.get('ours')?.failed !== undefined);
  if (failed.length > 0 || results.libraryFailed.length > 0) process.exitCode = 1;
  for (const result of results.jobs) say(`${result.job.id}: ${verdictOf(result)}`);
} finally {
  rmSync(place.scratch, { recursive: true, force: true });
}
