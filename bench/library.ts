/**
 * Measures the library in a program of its own, and prints one JSON object.
 *   node library.js MODULE IMAGE handles|fifty|private|programs|hand-over|writing|write-counts SCRATCH
 * `handles`: milliseconds from `new Guestfs` to a closed handle, of the first handle and of those after it.
 */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from './measure.js';
import { writeCounts, writing } from './write-library.js';

type Library = typeof import('../src/guestfs/index.js');

const [modulePath = '', image = '', what = '', scratch = ''] = process.argv.slice(2);
const library = (await import(pathToFileURL(modulePath).href)) as Library;
const { Guestfs } = library;

/** One handle's whole life; milliseconds. */
async function firstFile(): Promise<number> {
  const start = performance.now();
  const g = new Guestfs({ backend: 'embedded' });
  g.addDrive(image, { readonly: true, format: 'qcow2' });
  await g.launch();
  await g.mount('/dev/sda2', '/');
  const text = await g.readFile('/etc/os-release');
  await g.close();
  const milliseconds = performance.now() - start;
  if (text.length === 0) throw new Error('/etc/os-release is empty');
  return milliseconds;
}

async function handles(): Promise<Record<string, number>> {
  const first = await firstFile();
  const later: number[] = [];
  for (let count = 0; count < 7; count++) later.push(await firstFile());
  return {
    firstHandle: first,
    secondHandle: later[0] ?? Number.NaN,
    laterHandles: median(later),
    fork: await forks(),
    firstOfRange: await ranges(),
  };
}

/** Milliseconds until the first bytes of a range of a file are there, as a stream. */
async function ranges(): Promise<number> {
  await using g = await ready();
  const times: number[] = [];
  for (let count = 0; count < 300; count++) {
    const start = performance.now();
    let first: number | undefined;
    for await (const _piece of g.createReadStream('/usr/bin/perl', {
      start: count * 1000,
      end: count * 1000 + 1023,
    }))
      first ??= performance.now() - start;
    times.push(first ?? Number.NaN);
  }
  return median(times);
}

/** Milliseconds of a fork of a handle that has inspected, once a thread is ready for it. */
async function forks(): Promise<number> {
  await using g = await ready();
  await g.inspectOs();
  await g.mount('/dev/sda2', '/');
  const times: number[] = [];
  for (let count = 0; count < 9; count++) {
    const start = performance.now();
    const second = await g.fork();
    times.push(performance.now() - start);
    await second.close();
  }
  return median(times);
}

async function ready(): Promise<InstanceType<Library['Guestfs']>> {
  const g = new Guestfs({ backend: 'embedded' });
  g.addDrive(image, { readonly: true, format: 'qcow2' });
  await g.launch();
  await g.mount('/dev/sda2', '/');
  return g;
}

/** The work of one handle: a walk, and checksums of what is found in one directory. */
async function work(g: InstanceType<Library['Guestfs']>): Promise<void> {
  await g.find('/');
  await g.checksumsOut('sha256', '/usr/bin', '/dev/null');
}

/** Rounds before the first that counts: until V8 has compiled what is hot, in the one thread as in each of the fifty. */
const warmRounds = 10;
const countedRounds = 7;

/** The throughput of fifty handles, as a multiple of that of one which alone is busy: in turn, round by round. */
async function fifty(): Promise<Record<string, number>> {
  const one = await ready();
  const many = await Promise.all(Array.from({ length: 50 }, ready));
  const alone: number[] = [];
  const together: number[] = [];
  for (let round = 0; round < warmRounds + countedRounds; round++) {
    const start = performance.now();
    await work(one);
    const between = performance.now();
    await Promise.all(many.map(work));
    if (round < warmRounds) continue;
    alone.push(between - start);
    together.push(performance.now() - between);
  }
  await Promise.all([one, ...many].map((g) => g.close()));
  return {
    fiftyHandles: (many.length * median(alone)) / median(together),
    memoryOfFifty: process.resourceUsage().maxRSS * 1024,
  };
}

/** Nanoseconds for a call of the private data area, the keys taken in an order that is not that of insertion. */
function privateData(): Record<string, number> {
  const results: Record<string, number> = {};
  for (const count of [1, 1000, 100_000]) {
    const g = new Guestfs({ backend: 'embedded' });
    const keys = Array.from({ length: count }, (_, index) => `key-${String(index)}`);
    for (const key of keys) g.setPrivate(key, key);
    const order = Array.from({ length: 200_000 }, (_, index) => keys[(index * 7919) % count] ?? '');
    const times = { get: [] as number[], set: [] as number[] };
    for (let round = 0; round < 9; round++) {
      let start = process.hrtime.bigint();
      let found = 0;
      for (const key of order) if (g.getPrivate(key) !== null) found++;
      times.get.push(Number(process.hrtime.bigint() - start) / order.length);
      if (found !== order.length) throw new Error('a private value was lost');
      start = process.hrtime.bigint();
      for (const key of order) g.setPrivate(key, round);
      times.set.push(Number(process.hrtime.bigint() - start) / order.length);
    }
    results[`privateGet${String(count)}`] = median(times.get);
    results[`privateSet${String(count)}`] = median(times.set);
    void g.close();
  }
  return results;
}

type Backend = 'auto' | 'embedded' | 'direct';

function onBackend(backend: Backend): InstanceType<Library['Guestfs']> {
  const g = new Guestfs({ backend });
  // What is measured must not depend on whether the machine has KVM that works.
  g.setBackendSettings(['force_tcg']);
  g.addDrive(image, { readonly: true, format: 'qcow2' });
  return g;
}

/** Milliseconds of processor time, of all threads, for reading by a handle of its own. */
async function reading(backend: Backend): Promise<number> {
  const before = process.cpuUsage();
  const g = onBackend(backend);
  await g.launch();
  const [root = ''] = await g.inspectOs();
  await g.mountRo(root, '/');
  for (let count = 0; count < 200; count++) await g.stat('/etc/os-release');
  await work(g);
  await g.close();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Opens, inspects and closes an image. */
async function inspectOne(): Promise<void> {
  const g = onBackend('auto');
  await g.launch();
  const roots = await g.inspectOs();
  if (roots.length !== 1) throw new Error('the system was not found');
  await g.close();
}

const imageCount = 200;

/** Images a minute, where so many handles are open at once. */
async function imagesPerMinute(atOnce: number): Promise<number> {
  let left = imageCount;
  const start = performance.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) await inspectOne();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return imageCount / ((performance.now() - start) / 60_000);
}

async function programs(): Promise<Record<string, number>> {
  const times: Record<'auto' | 'embedded', number[]> = { auto: [], embedded: [] };
  for (let round = 0; round < warmRounds + 2 * countedRounds; round++)
    for (const backend of ['auto', 'embedded'] as const) {
      const taken = await reading(backend);
      if (round >= warmRounds) times[backend].push(taken);
    }
  return {
    autoReading: median(times.auto) / median(times.embedded),
    imagesInTurn: await imagesPerMinute(1),
    imagesByPool: await imagesPerMinute(2),
  };
}

/** What a hand-over takes more than a launch of the appliance does: in turn, to the end of the first call. */
async function handOver(): Promise<Record<string, number>> {
  const times: Record<'auto' | 'direct', number[]> = { auto: [], direct: [] };
  for (let round = 0; round <= countedRounds; round++)
    for (const backend of ['direct', 'auto'] as const) {
      const g = onBackend(backend);
      let start = performance.now();
      await g.launch();
      if (backend === 'auto') {
        const [root = ''] = await g.inspectOs();
        await g.mountRo(root, '/');
        start = performance.now();
      } else await g.mountRo('/dev/sda2', '/');
      await g.utsname();
      // The first round keeps the state, where nobody has yet.
      if (round > 0) times[backend].push(performance.now() - start);
      await g.close();
    }
  return { handOver: median(times.auto) - median(times.direct), directLaunch: median(times.direct) };
}

const measurements: Readonly<Record<string, () => Promise<Record<string, number>>>> = {
  handles,
  fifty,
  private: async () => privateData(),
  programs,
  'hand-over': handOver,
  writing: () => writing(library, scratch),
  'write-counts': () => writeCounts(library, scratch, join(dirname(image), 'rootfs.tar')),
};
const results = await measurements[what]?.();
console.log(JSON.stringify(results));
