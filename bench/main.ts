/**
 * The benchmarks: `npm run bench -- [GROUP] [--quick] [--only ID[,ID…]] [--against DIRECTORY] [--no-peers] [--runs N]
 * [--continue] [--slow-runs N] [--images DIRECTORY] [--out FILE] [--note TEXT]`. `--against`: another build (a
 * checkout, or its dist) runs in turn with this one, and the page begins with a table of both. `--no-peers`: only the
 * two builds. `--runs`, `--slow-runs`: how often each contender, and each slow peer, runs: 5 and 3. `--continue`:
 * what earlier runs of this build have measured is kept, so `--only` makes a run in pieces. `--note`: printed with
 * the machine, to say how the run was made. `--quick`: everything once, without the slow peers, to see that it works.
 * The figures mean nothing then.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Job, type Peer, type PeerName, peers } from './job.js';
import { jobs } from './jobs.js';
import {
  ask,
  type Contender,
  inTurn,
  type Measured,
  median,
  memoryOf,
  type Place,
  reasonIn,
  run,
} from './measure.js';
import { Pieces } from './pieces.js';
import { type JobResult, type Results, report, verdictOf } from './report.js';

const root = resolve(import.meta.dirname, '../..');
/** Groups whose page is their own. */
const ownPage: ReadonlySet<string | undefined> = new Set(['formats', 'write']);
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    against: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    continue: { type: 'boolean', default: false },
    'slow-runs': { type: 'string', default: '3' },
    note: { type: 'string' },
    images: { type: 'string', default: join(root, '.cache/images') },
    out: { type: 'string' },
  },
});
const [group] = positionals;
const out = options.out ?? join(root, `bench/RESULTS${group === undefined ? '' : `-${group}`}.md`);
const members = membersOf(group);
const only = options.only?.split(',') ?? members;
const wanted = (id: string) => only.includes(id);
const ourRuns = options.quick ? 1 : Number(options.runs);

const dist = join(root, 'dist');
const before = options.against === undefined ? undefined : distOf(resolve(options.against));
const commandOf = (directory: string) => `${process.execPath} ${join(directory, 'cli.cjs')}`;

mkdirSync(join(root, '.cache'), { recursive: true });
const scratch = mkdtempSync(join(root, '.cache/bench-'));
const inMemory = '/dev/shm';
const place: Place = {
  images: resolve(options.images),
  scratch,
  memory: existsSync(inMemory) ? mkdtempSync(join(inMemory, 'guestfs-bench-')) : scratch,
  command: commandOf(dist),
};
const say = (text: string) => process.stderr.write(`${text}\n`);
const slowRuns = Math.min(Number(options['slow-runs']), ourRuns);
const pieces = new Pieces(
  join(root, '.cache/benchmarks'),
  [dist, ...(before === undefined ? [] : [before])],
  { fresh: !options.continue },
);

const installed = new Map<PeerName, string>();
const missingPeers = ['dissect (a Python package; its figures are of another machine)'];
for (const [name, peer] of Object.entries(peers) as [PeerName, Peer][]) {
  if (run(`command -v ${peer.program}`, place).failed === undefined)
    installed.set(name, ask(peer.version, place));
  else missingPeers.push(`${name} (${peer.program})`);
}

/** The jobs of a page, by id, and what library.js finds for it. Without a group those of reading, and of `auto`. */
function membersOf(name: string | undefined): string[] {
  const found = jobs
    .filter((job) => (name === undefined ? !ownPage.has(job.group) : job.group === name))
    .map(({ id }) => id);
  if (name === undefined) found.push('handles', 'fifty', 'private', 'programs', 'hand-over');
  if (name === 'write') found.push('writing', 'write-counts');
  if (found.length === 0) throw new Error(`there is no group of jobs ‘${name}’`);
  return found;
}

/** Where the built code of a checkout lies. */
function distOf(directory: string): string {
  const found = [join(directory, 'dist'), directory].find((each) => existsSync(join(each, 'cli.cjs')));
  if (found === undefined) throw new Error(`--against ${directory}: there is no build in it`);
  return found;
}

function measure(job: Job): JobResult {
  const absent = job.images.filter((name) => !existsSync(join(place.images, name)));
  if (absent.length > 0)
    return {
      job,
      measured: new Map(),
      skipped: `${absent.join(', ')} is missing (npm run bench -- ${group === undefined ? '' : `${group} `}--make-images makes it)`,
    };
  if (job.prepare) {
    const { failed } = run(job.prepare, place);
    if (failed !== undefined)
      return { job, measured: new Map(), skipped: `its preparation failed (${failed})` };
  }
  const contenders: Contender[] = [{ name: 'ours', line: job.ours, runs: ourRuns }];
  if (before !== undefined)
    contenders.push({ name: 'before', line: job.ours, runs: ourRuns, command: commandOf(before) });
  for (const [name, line] of Object.entries(job.peers) as [PeerName, string][]) {
    const isSlow = (peers[name] as Peer).runs !== undefined;
    const runs = isSlow ? slowRuns : ourRuns;
    if (!installed.has(name) || options['no-peers'] || (options.quick && name === 'libguestfs')) continue;
    contenders.push({ name, line, runs });
  }
  const measured = inTurn(contenders, place, (text) => {
    say(`  ${text}`);
  });
  const ours = measured.get('ours');
  const memory = ours && ours.failed === undefined ? memoryOf(job.ours, place) : undefined;
  run('rm -rf $T/tree.* $M/tree.*', place);
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

type Figures = Record<string, number>;

/** Makes a program count in all of its threads: the engine's gets no flags but those of the environment. */
const counting = {
  GUESTFS_BENCH_COUNTS: place.scratch,
  NODE_OPTIONS: `--import ${join(root, 'build/bench/count-writes.js')}`,
};

/** What library.js finds of a build, in a program of its own. Undefined where it failed. */
function askLibrary(what: string, directory: string, failures: string[]): Figures | undefined {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'build/bench/library.js'),
      join(directory, 'index.js'),
      join(place.images, 'debian.qcow2'),
      what,
      place.scratch,
    ],
    {
      encoding: 'utf8',
      timeout: 600_000,
      env: { ...process.env, ...(what === 'write-counts' ? counting : {}) },
    },
  );
  if (status === 0) return JSON.parse(stdout) as Figures;
  const failure = `${directory === dist ? '' : 'before, '}${what}: ${reasonIn(stderr)}`;
  if (!failures.includes(failure)) failures.push(failure);
  return undefined;
}

/** The medians of some programs' figures, by their names. */
function medians(all: readonly Figures[]): Figures {
  const names = new Set(all.flatMap((figures) => Object.keys(figures)));
  return Object.fromEntries(
    [...names].map((name) => [name, median(all.map((figures) => figures[name] ?? Number.NaN))]),
  );
}

/** Figures of this build, and of the one that it is compared with. */
interface LibraryFigures {
  readonly ours: Figures;
  readonly before: Figures;
}

/** Runs library.js in programs of their own, those of both builds in turn, and takes the medians. */
function library(what: string, times: number, failures: string[]): LibraryFigures | undefined {
  const found = { ours: [] as Figures[], before: [] as Figures[] };
  for (let count = 0; count < times; count++) {
    const ours = askLibrary(what, dist, failures);
    if (ours === undefined) return undefined;
    found.ours.push(ours);
    const theirs = before === undefined ? undefined : askLibrary(what, before, failures);
    if (theirs !== undefined) found.before.push(theirs);
  }
  return { ours: medians(found.ours), before: medians(found.before) };
}

try {
  const results: Results = {
    group,
    machine: [
      ['processor', `${String(cpus().length)} × ${cpus()[0]?.model.trim() ?? 'unknown'}`],
      ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
      ['kernel', `Linux ${release().replace(/-.*/, '')}`],
      ['Node', process.version],
      ...[...installed]
        .filter(([name]) => peers[name].program !== 'node')
        .map(([name, version]): [string, string] => [name, version]),
      ...(options.note === undefined ? [] : [['note', options.note] as [string, string]]),
    ],
    missingPeers,
    runs: ourRuns,
    fewerRuns: (Object.entries(peers) as [PeerName, Peer][]).flatMap(
      ([name, { runs }]): [string, number][] => {
        const isThere =
          installed.has(name) && jobs.some((job) => members.includes(job.id) && job.peers[name]);
        return runs === undefined || !isThere ? [] : [[name, slowRuns]];
      },
    ),
    jobs: [],
    library: {},
    libraryBefore: {},
    libraryFailed: [],
  };
  let complete = true;
  for (const job of jobs) {
    if (!members.includes(job.id)) continue;
    const result = resultOf(job);
    if (result) results.jobs.push(result);
    else complete = false;
  }
  for (const [what, repeats] of [
    ['handles', ourRuns],
    ['fifty', 1],
    ['private', 1],
    ['programs', ourRuns],
    ['hand-over', 1],
    ['writing', ourRuns],
    ['write-counts', 1],
  ] as const) {
    if (!members.includes(what)) continue;
    let found = pieces.find(what) as LibraryFigures | undefined;
    if (!found && wanted(what)) {
      say(`library: ${what}`);
      found = library(what, repeats, results.libraryFailed);
      if (!options.quick && found) pieces.keep(what, found);
    }
    if (found) {
      Object.assign(results.library, found.ours);
      Object.assign(results.libraryBefore, found.before);
    } else complete = false;
  }
  const text = report(results);
  process.stdout.write(text);
  // A page without the peers is of the moment.
  if (!options.quick && !options['no-peers'] && complete) {
    writeFileSync(out, text);
    say(`written to ${out}`);
  }
  const failed = results.jobs.filter((result) => result.measured.get('ours')?.failed !== undefined);
  if (failed.length > 0 || results.libraryFailed.length > 0) process.exitCode = 1;
  for (const result of results.jobs) say(`${result.job.id}: ${verdictOf(result)}`);
} finally {
  for (const each of [place.scratch, place.memory]) rmSync(each, { recursive: true, force: true });
}
