/** Copying onto a filesystem that has files and directories alone, as FAT: all else is left out with a note. */
import { typeOfMode } from '../../base/index.js';
import { isDirectory } from './file-words.js';
import type { Guest } from './guest.js';

/** Filesystems that Linux makes no links on, by blkid's names. */
const plainTypes = new Set(['vfat', 'exfat']);

/** Whether a directory of a guest can have symbolic links in it, by the filesystem that it is on. */
export async function hasLinks({ g, controls }: Guest, directory: string): Promise<boolean> {
  const path = await g.realpath(directory, controls);
  const isAbove = (mountpoint: string): boolean => `${path}/`.startsWith(mountpoint.replace(/\/?$/, '/'));
  const mounts = [...(await g.mountpoints(controls))].filter(([, mountpoint]) => isAbove(mountpoint));
  const [nearest] = mounts.sort(([, one], [, other]) => other.length - one.length);
  return nearest === undefined || !plainTypes.has(await g.vfsType(nearest[0], controls));
}

/** Copies the files and directories below a directory of a guest; each name of a file is a file of its own. */
export async function copyPlainTree(
  from: Guest,
  source: string,
  to: Guest,
  directory: string,
): Promise<void> {
  const { count, paths, columns } = await from.g.walk(source, from.controls);
  const names = paths.split('\0');
  for (let index = 0; index < count; index++) {
    const name = names[index] ?? '';
    const mode = columns.mode[index] ?? 0;
    const [path, target] = [`${source}/${name}`, `${directory}/${name}`];
    if (isDirectory(mode)) {
      if (!(await to.g.isDir(target, to.controls))) await to.g.mkdir(target, to.controls);
      continue;
    }
    const type = typeOfMode(mode);
    if (type !== 'file') {
      to.invocation.note(`${path}: is left out: it is a ${type}`);
      continue;
    }
    await to.invocation.withProgress(path, 'bytes', (progress) =>
      // A handle does one call at a time: a stream of its own would wait for the call that reads it.
      from === to
        ? to.g.cp(path, target, progress)
        : to.g.upload(from.g.createReadStream(path), target, progress),
    );
    const seconds = columns.modifiedSeconds[index] ?? 0;
    const nanoseconds = columns.modifiedNanoseconds[index] ?? 0;
    await to.g.utimens(target, seconds, nanoseconds, seconds, nanoseconds, to.controls);
  }
}
