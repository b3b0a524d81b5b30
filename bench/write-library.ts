/** What the library writes in a running program: rates and times of the processors, and counts of what the host does. */
import { statSync } from 'node:fs';
import { join } from 'node:path';

type Library = typeof import('../src/guestfs/index.js');
type Handle = InstanceType<Library['Guestfs']>;
type Figures = Record<string, number>;

const diskSize = 2 ** 31;
/** Calls before those that count: until V8 has compiled what is hot. */
const warmCalls = 2000;
const countedCalls = 10_000;
const fileCount = 100_000;

/** A handle with a new ext4 filesystem, mounted for writing. */
async function writable({ Guestfs }: Library, path: string): Promise<Handle> {
  const g = new Guestfs({ backend: 'embedded' });
  await g.diskCreate(path, 'raw', diskSize);
  g.addDrive(path, { format: 'raw' });
  await g.launch();
  await g.mkfs('ext4', '/dev/sda');
  await g.mount('/dev/sda', '/');
  return g;
}

/** Seconds of all threads of this program. */
async function processorSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Calls a second of the processors, one after the other. */
async function rate(call: (name: string) => Promise<unknown>): Promise<number> {
  const many = async (count: number, name: string): Promise<void> => {
    for (let number = 0; number < count; number++) await call(`${name}-${String(number)}`);
  };
  await many(warmCalls, 'warm');
  return countedCalls / (await processorSeconds(() => many(countedCalls, 'counted')));
}

export async function writing(library: Library, scratch: string): Promise<Figures> {
  await using g = await writable(library, join(scratch, 'small.img'));
  const content = new Uint8Array(100).fill(0x61);
  for (const path of ['/files', '/directories', '/many']) await g.mkdir(path);
  const smallWrites = await rate((name) => g.write(`/files/${name}`, content));
  const smallMkdirs = await rate((name) => g.mkdir(`/directories/${name}`));
  const smallChmods = await rate((name) => g.chmod(0o600, `/files/${name}`));
  const manyFiles = await processorSeconds(() => g.fillDir('/many', fileCount));
  const memoryOfWriting = process.resourceUsage().maxRSS / 1024;
  return { smallWrites, smallMkdirs, smallChmods, manyFiles, memoryOfWriting };
}

/** In a program that count-writes.js was loaded into. */
export async function writeCounts(library: Library, scratch: string, archive: string): Promise<Figures> {
  const countOf = (name: string): number =>
    statSync(join(scratch, name), { throwIfNoEntry: false })?.size ?? 0;
  const counted = async (name: string, work: () => Promise<unknown>): Promise<number> => {
    const before = countOf(name);
    await work();
    const count = countOf(name) - before;
    if (count === 0) throw new Error(`no ${name} were seen: count-writes.js is not in the engine's thread`);
    return count;
  };
  const g = await writable(library, join(scratch, 'counted.img'));
  const content = new Uint8Array(100).fill(0x61);
  const change = async (name: string): Promise<void> => {
    await g.mkdir(`/${name}`);
    for (let number = 0; number < 20; number++) await g.write(`/${name}/${String(number)}`, content);
  };
  // The first says that the filesystem is being written.
  await change('first');
  await g.sync();
  await change('second');
  const barriers = await counted('barriers', () => g.sync());
  await g.close();
  const makeFsWrites = await counted('writes', () =>
    library.makeFilesystem(archive, join(scratch, 'made.img')),
  );
  return { barriers, makeFsWrites };
}
