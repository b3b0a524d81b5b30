/** The free space of a filesystem: zeroed, given back, or overwritten. */
import { GuestfsError, systemError, UnsupportedError } from '../../../base/index.js';
import { type Disk, MappedDisk } from '../../../disk/index.js';
import { fileSystems } from '../../../fs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { writableDevice } from './changed-device.js';
import { extTypeOf } from './ext-format.js';
import { overwrite, scrub } from './scrub.js';
import { checkNotNegative, treeWriter, withContents } from './writer.js';

const elsewhere = { elsewhere: 'appliance' } as const;
const directoryMode = 0o755;

interface Range {
  readonly offset: number;
  readonly length: number;
}

interface FreeSpace {
  readonly disk: Disk;
  readonly ranges: readonly Range[];
}

/** The free ranges of a mounted filesystem, whose changes are all on the disk now. ENOTDIR for what is no directory. */
function freeSpaceAt(call: Call, path: string): FreeSpace {
  const { tree, devices } = call.session;
  const { type, mount, fileSystem } = tree.resolve(path);
  if (type !== 'directory') throw systemError('ENOTDIR', path);
  treeWriter(call).checkWritable(path);
  if (fileSystem.freeRanges === undefined || mount.holder !== undefined)
    throw new UnsupportedError(fileSystem.type, ['a list of what is free'], elsewhere);
  call.session.mounts.sync();
  return { disk: devices.resolve(mount.source).disk, ranges: [...fileSystem.freeRanges()] };
}

/** Ranges as one disk, which writes through. */
function joined({ disk, ranges }: FreeSpace): Disk {
  const ends: number[] = [];
  let size = 0;
  for (const { length } of ranges) {
    size += length;
    ends.push(size);
  }
  const lookup = (offset: number) => {
    let low = 0;
    for (let high = ends.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] as number) <= offset)
        low = middle + 1; // safe: middle < high ≤ length
      else high = middle;
    }
    const { offset: start, length } = ranges[low] as Range; // safe: the offset lies in the disk
    const left = (ends[low] as number) - offset; // safe: as above
    return { kind: 'data', length: left, disk, offset: start + length - left } as const;
  };
  return new MappedDisk(size, lookup, { name: 'free space', writable: true, sectorSize: disk.sectorSize });
}

function clear(call: Call, { disk, ranges }: FreeSpace): void {
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  for (const { offset, length } of ranges) {
    call.progress(done, total);
    call.touch();
    disk.zero(offset, length, { discard: true });
    done += length;
  }
  disk.flush();
}

/** The parts of ranges between two places. */
function within(ranges: readonly Range[], from: number, to: number): Range[] {
  return ranges.flatMap(({ offset, length }) => {
    const start = Math.max(offset, from);
    const end = Math.min(offset + length, to);
    return end > start ? [{ offset: start, length: end - start }] : [];
  });
}

/** The free ranges of a filesystem that is not mounted. */
function freeSpaceOn(call: Call, name: string): FreeSpace {
  const device = writableDevice(call, name);
  const type = call.session.contents.probe(device)?.type;
  const driver = fileSystems.find(({ types }) => type !== undefined && types.includes(type));
  if (type === undefined || extTypeOf(type) === undefined || driver?.open === undefined)
    throw new GuestfsError('EINVAL', `${name}: no ext2, ext3 or ext4 filesystem`);
  if (call.session.scan.isInUse(device))
    throw new UnsupportedError(name, ['zeroing what is free of a filesystem that is in use'], elsewhere);
  const fileSystem = driver.open(device.disk, {
    readonly: true,
    overlay: () => {
      throw new UnsupportedError(name, ['zeroing what is free before the log is replayed'], elsewhere);
    },
  });
  try {
    return { disk: device.disk, ranges: [...(fileSystem.freeRanges?.() ?? [])] };
  } finally {
    fileSystem.close();
  }
}

export const freeSpaceHandlers = {
  zerofree: (call, name) => clear(call, freeSpaceOn(call, name)),
  zero_free_space: (call, path) => clear(call, freeSpaceAt(call, path)),
  fstrim(call, path, { offset = 0, length = Number.MAX_SAFE_INTEGER, minimumfreeextent = 0 }) {
    checkNotNegative(offset, 'offset', path);
    checkNotNegative(length, 'length', path);
    checkNotNegative(minimumfreeextent, 'minimumfreeextent', path);
    const { session } = call;
    const { disk, ranges } = freeSpaceAt(call, path);
    const { source } = session.tree.resolve(path).mount;
    const drives = [...session.scan.drivesUnder(session.devices.resolve(source))];
    // As in qemu, a drive that was added without `discard` keeps its bytes.
    if (drives.some((drive) => session.drive(drive)?.discards !== true)) return;
    const asked = within(ranges, offset, offset + length);
    clear(call, { disk, ranges: asked.filter((range) => range.length >= minimumfreeextent) });
  },
  scrub_file(call, path) {
    const { type } = call.session.tree.resolve(path, { followLast: false });
    if (type === 'symlink')
      throw new UnsupportedError(path, ['scrubbing what a symbolic link leads to'], elsewhere);
    if (type !== 'file') throw new GuestfsError('EINVAL', `${path}: is no regular file`, { path });
    const writer = treeWriter(call);
    const { contents } = writer.open(path);
    withContents(contents, (disk) => {
      if (disk.size === 0) throw new GuestfsError('EINVAL', `${path}: is empty`, { path });
      scrub(call, disk, path);
      disk.flush();
    });
    writer.unlink(path);
  },
  scrub_freespace(call, path) {
    const writer = treeWriter(call);
    // Asked before anything is made.
    freeSpaceAt(call, path.replace(/\/[^/]*\/*$/, '') || '/');
    writer.create(path, { type: 'directory', permissions: directoryMode });
    try {
      overwrite(call, joined(freeSpaceAt(call, path)), path);
    } finally {
      writer.rmdir(path);
    }
  },
} satisfies TopicHandlers;
