/**
 * Our half of the appliance benchmark: does what the lines on standard input say, by the library.
 *   node appliance-program.js MODULE
 * Each line is a JSON object with `do`; each answer is one, with `seconds`, or `failed` and why. The same as
 * appliance-peer.py; it tells memory besides.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { Answer, Measured, WireRequest } from './appliance-contender.js';

type Library = typeof import('../src/guestfs/index.js');
type Handle = InstanceType<Library['Guestfs']>;

const [modulePath = ''] = process.argv.slice(2);
const { Guestfs, packageVersion } = (await import(pathToFileURL(modulePath).href)) as Library;

const sampleEveryInMs = 20;

let handle: Handle | undefined;

function launched(): Handle {
  if (handle === undefined) throw new Error('no handle is ready');
  return handle;
}

function make({ settings, driveInBytes }: { settings: readonly string[]; driveInBytes: number }): Handle {
  const g = new Guestfs({ backend: 'direct' });
  g.setBackendSettings([...settings]);
  g.addDriveScratch(driveInBytes);
  return g;
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/** Seconds of processor time that this process has used, in all its threads. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Seconds of processor time that the appliance's qemu has used, in all its threads: proc(5), in clock ticks of 10 ms. */
const guestSeconds = (g: Handle): number => {
  const fields = readFileSync(`/proc/${g.getPid()}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

/** What something takes: time, processor time, and the most resident memory in its first and in its second half. */
async function measured(work: () => Promise<unknown>): Promise<Measured> {
  const samples: { at: number; rss: number }[] = [];
  const sample = (): void => {
    samples.push({ at: performance.now(), rss: process.memoryUsage.rss() });
  };
  sample();
  const timer = setInterval(sample, sampleEveryInMs);
  const start = performance.now();
  const processorBefore = processorSeconds();
  const guestBefore = guestSeconds(launched());
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const seconds = secondsSince(start);
  const processor = processorSeconds() - processorBefore;
  const guest = guestSeconds(launched()) - guestBefore;
  sample();
  const middle = start + (seconds * 1000) / 2;
  const most = (half: typeof samples): number => Math.max(...half.map(({ rss }) => rss));
  return {
    seconds,
    processor,
    guest,
    memory: [most(samples.filter(({ at }) => at < middle)), most(samples.filter(({ at }) => at >= middle))],
  };
}

async function isThere(g: Handle, count: number): Promise<void> {
  for (let done = 0; done < count; done++)
    if (!(await g.isFile('/small'))) throw new Error('/small is not there');
}

async function answer(request: WireRequest): Promise<Answer> {
  switch (request.do) {
    case 'version':
      return { version: packageVersion };
    case 'launch': {
      const g = make(request);
      const start = performance.now();
      await g.launch();
      const seconds = secondsSince(start);
      await g.close();
      return { seconds };
    }
    case 'ready':
      handle = make(request);
      await handle.launch();
      await handle.mke2fs('/dev/sda', { fstype: 'ext4' });
      await handle.mount('/dev/sda', '/');
      await handle.mknodC(0o666, 1, 3, '/null');
      await handle.touch('/small');
      return {};
    case 'upload': {
      const taken = await measured(() => launched().upload(request.host, request.guest));
      await launched().sync();
      return taken;
    }
    case 'download':
      return await measured(() => launched().download(request.guest, request.host));
    case 'hole':
      await launched().touch(request.guest);
      await launched().truncateSize(request.guest, request.sizeInBytes);
      return {};
    case 'calls':
      return await measured(() => isThere(launched(), request.count));
    case 'close':
      await handle?.close();
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let said: Answer;
  try {
    said = await answer(JSON.parse(line) as WireRequest);
  } catch (thrown) {
    said = { failed: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
