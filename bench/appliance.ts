/**
 * The benchmarks of the direct backend, beside the C library by python3-guestfs:
 *   npm run bench -- appliance [--runs N] [--mebibytes N] [--calls N] [--only ID[,ID…]] [--out FILE]
 * Both boot the same appliance without KVM, which is not everywhere, and where it is not libguestfs may hang. They do
 * each job in turn (A B A B …) in programs that stay, so that a launch is part of a figure only where it is the job.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Answer, Contender, type WireRequest } from './appliance-contender.js';
import {
  type ApplianceJob,
  type ApplianceResult,
  applianceJobs,
  applianceReport,
  applianceVerdict,
  fourGibibytes,
  type Runs,
} from './appliance-report.js';

const root = resolve(import.meta.dirname, '../..');
const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    mebibytes: { type: 'string', default: '1024' },
    calls: { type: 'string', default: '1000' },
    only: { type: 'string' },
    out: { type: 'string', default: join(root, 'bench/RESULTS-appliance.md') },
  },
});
const only = options.only?.split(',');
const runs = Number(options.runs);
const fileInBytes = Number(options.mebibytes) * 2 ** 20;
const callCount = Number(options.calls);

const say = (text: string) => process.stderr.write(`${text}\n`);

/** What keeps a machine's state; `no_snapshot_start` is without it. */
const kept = ['force_tcg'];
const cold = ['force_tcg', 'no_snapshot_start'];
/** Room for the file in ext4. */
const driveInBytes = fileInBytes + 2 ** 30;

/** A Python that has the C library's binding; a second one that is found first may not. */
function findPython(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (program) => spawnSync(program, ['-c', 'import guestfs']).status === 0,
  );
}

const scratch = ((): string => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  return mkdtempSync(join(root, '.cache/bench-'));
})();
const file = join(scratch, 'file');
const hole = join(scratch, 'hole');

/** Bytes that no layer can shorten, in the page cache. */
function makeFiles(): void {
  execFileSync('sh', ['-c', `head -c ${fileInBytes} /dev/urandom > "$0"`, file]);
  execFileSync('truncate', ['-s', `${fourGibibytes}`, hole]);
  execFileSync('sh', ['-c', 'cat "$0" > /dev/null', file]);
}

const requests: Readonly<Record<ApplianceJob['id'], WireRequest>> = {
  'launch-cold': { do: 'launch', settings: cold, driveInBytes },
  'launch-kept': { do: 'launch', settings: kept, driveInBytes },
  upload: { do: 'upload', host: file, guest: '/file' },
  download: { do: 'download', guest: '/file', host: '/dev/null' },
  'upload-null': { do: 'upload', host: file, guest: '/null' },
  calls: { do: 'calls', count: callCount },
  'memory-upload': { do: 'upload', host: hole, guest: '/null' },
  'memory-download': { do: 'download', guest: '/hole', host: '/dev/null' },
};

const noRuns = (): Runs => ({ seconds: [], processor: [], guest: [] });

async function measure(
  job: ApplianceJob,
  ours: Contender,
  peer: Contender | undefined,
): Promise<ApplianceResult> {
  say(job.title);
  const alone = job.kind === 'memory';
  const contenders = alone || peer === undefined ? [ours] : [ours, peer];
  const result: ApplianceResult = { job, ours: noRuns(), theirs: noRuns(), failures: [] };
  const ask = async (contender: Contender, request: WireRequest): Promise<Answer> => {
    const answer = await contender.ask(request);
    if (answer.failed !== undefined) result.failures.push(`${contender.name}: ${answer.failed}`);
    return answer;
  };
  // Once without counting: a state to go on from is kept by a launch before, a file is there only after an upload.
  if (job.id === 'launch-kept') await ask(ours, requests['launch-kept']);
  if (job.id === 'memory-download')
    await ask(ours, { do: 'hole', guest: '/hole', sizeInBytes: fourGibibytes });
  if (job.id === 'download') for (const contender of contenders) await ask(contender, requests.upload);
  for (let run = 0; run < (alone ? 1 : runs); run++) {
    for (const contender of contenders) {
      if (result.failures.length > 0) return result;
      const isOurs = contender === ours;
      const { seconds, processor, guest, memory } = await ask(
        contender,
        requests[isOurs ? job.id : job.peerDoes],
      );
      if (seconds === undefined) continue;
      const taken = isOurs ? result.ours : result.theirs;
      taken.seconds.push(seconds);
      if (processor !== undefined) taken.processor.push(processor);
      if (guest !== undefined) taken.guest.push(guest);
      if (isOurs && memory !== undefined) result.memory = memory;
      say(
        `  ${contender.name} ${seconds.toFixed(3)} s, processor ${processor?.toFixed(3) ?? '–'} s, qemu's ${guest?.toFixed(2) ?? '–'} s`,
      );
    }
  }
  return result;
}

const wanted = applianceJobs.filter(({ id }) => only === undefined || only.includes(id));
const python = findPython();
const ours = new Contender('guestfs', process.execPath, [
  join(root, 'build/bench/appliance-program.js'),
  join(root, 'dist/index.js'),
]);
const peer =
  python === undefined
    ? undefined
    : new Contender('libguestfs', python, [join(root, 'bench/appliance-peer.py')]);
try {
  makeFiles();
  const results: ApplianceResult[] = [];
  for (const job of wanted.filter(({ kind }) => kind === 'launch'))
    results.push(await measure(job, ours, peer));
  const inHandle = wanted.filter(({ kind }) => kind !== 'launch');
  if (inHandle.length > 0) {
    say('both launch a handle that stays');
    for (const contender of peer === undefined ? [ours] : [ours, peer]) {
      const { failed } = await contender.ask({ do: 'ready', settings: cold, driveInBytes });
      if (failed !== undefined) throw new Error(`${contender.name}: ${failed}`);
    }
    for (const job of inHandle) results.push(await measure(job, ours, peer));
    for (const contender of [ours, peer]) await contender?.ask({ do: 'close' });
  }
  const qemu = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const text = applianceReport({
    machine: [
      ['processor', `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`],
      ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
      ['kernel', `Linux ${release().replace(/-.*/, '')}`],
      ['Node', process.version],
      ['qemu', /\d+(?:\.\d+)+/.exec(qemu)?.[0] ?? 'of unknown version'],
      [
        'libguestfs',
        (await peer?.ask({ do: 'version' }))?.version ?? 'missing (python3-guestfs is not installed)',
      ],
    ],
    results,
    runs,
    fileInBytes,
    callCount,
  });
  process.stdout.write(text);
  if (only === undefined) {
    writeFileSync(options.out, text);
    say(`written to ${options.out}`);
  }
  for (const result of results) say(`${result.job.id}: ${applianceVerdict(result)}`);
  if (results.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
} finally {
  ours.end();
  peer?.end();
  rmSync(scratch, { recursive: true, force: true });
}
