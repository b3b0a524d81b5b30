/** What the engine's tests share: drives from fixtures, and calls without a worker. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Damage } from '../../src/engine/session/damage.js';
import type { Session } from '../../src/engine/session/session.js';
import { Warnings } from '../../src/engine/session/warnings.js';
import { Call, type CallOutlet } from '../../src/engine/thread/call.js';
import type { DirectoryEntry, FileSystem } from '../../src/fs/index.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { MemoryFileSystem, type MemoryNode } from '../support/memory-fs.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-engine-'));
after(() => rmSync(directory, { recursive: true }));
let made = 0;

/** A path for a file or directory of this test file, which is gone afterwards. */
export function scratchPath(name = 'file'): string {
  return join(directory, `${++made}-${name}`);
}

let ext4: string | undefined;

/** The ext4 drive of the scenarios, as a file. */
export function ext4Image(): string {
  if (ext4 === undefined) {
    ext4 = scratchPath('ext4.img');
    writeFileSync(ext4, readFixtureBuffer('scenarios/ext4.img.gz'));
  }
  return ext4;
}

/** A handle with the scenarios' ext4 drive mounted on `/`, and a scratch drive of the given size as `/dev/sdb`. */
export async function withExt4<T>(work: (g: Guestfs) => Promise<T>, scratchSizeInBytes?: number): Promise<T> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
  if (scratchSizeInBytes !== undefined) g.addDriveScratch(scratchSizeInBytes);
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  return await work(g);
}

/** A launched handle of the engine, with raw images that are written to. */
export async function withDrives<T>(paths: readonly string[], work: (g: Guestfs) => Promise<T>): Promise<T> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  for (const path of paths) g.addDrive(path, { format: 'raw' });
  await g.launch();
  return await work(g);
}

/** A call in this thread, on a tree with one filesystem, for handlers that need no more of a session. */
export function callOn(
  fileSystem: FileSystem,
  outlet: Partial<CallOutlet> & { warn?(message: string): void } = {},
  policy: 'untrusted' | 'trusted' = 'untrusted',
): Call {
  const { warn = () => {}, ...rest } = outlet;
  const warnings = new Warnings(warn);
  const damage = new Damage(warnings);
  const table = new MountTable((error, path) => damage.leaveOut(error, path));
  table.mount(fileSystem, { source: '/dev/sda', mountpoint: '/' });
  const parts = { tree: table.tree, mounts: table, config: { policy }, warnings, damage };
  const session = {
    ...parts,
    warn: (message: string, kind?: string) => warnings.warn(message, kind),
  } as unknown as Session; // safe: the handlers under test use no more
  return new Call('test', session, { isCancelled: () => false, progress() {}, ...rest }, true);
}

/** Holds `/top/x` twice: as a link, and then as a directory with a file in it. */
export class TwiceFileSystem extends MemoryFileSystem {
  constructor(first: MemoryNode) {
    super({ 'top/a': 'a', 'top/x': first, 'top/z': 'z', 'second/passwd': 'evil' });
  }

  override *entries(inode: number): Iterable<DirectoryEntry> {
    for (const entry of super.entries(inode)) {
      yield entry;
      if (entry.name === 'x')
        yield { name: 'x', inode: this.lookup(this.root, 'second') ?? 0, type: 'directory' };
    }
  }
}

/**
 * What something takes, in milliseconds: of the processor, in all threads, since a machine that is busy with other things
 * says nothing about us; or a tenth of the time that passes, so that one which only waits is found as well.
 */
export async function cost(work: () => Promise<unknown>): Promise<number> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return Math.max((user + system) / 1000, (performance.now() - began) / 10);
}
