/**
 * A tree of the guest as a cpio archive of the format `newc` or `crc`. Of a file with several names only the last
 * entry has the contents.
 */

import { encodeText, GuestfsError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { cpioAlignment, cpioTrailer, encodeCpioHeader } from '../../../formats/index.js';
import type { InodeStat, OnDamage } from '../../../fs/index.js';
import type { Place } from '../../../vfs/index.js';
import { contentsOf } from '../../session/contents.js';
import type { Call } from '../../thread/call.js';
import { BufferedSink } from '../buffered.js';
import { type DataSink, move } from '../copy-data.js';
import { writeZeroes } from '../data-sinks.js';
import { distinctEntries, pathBelow } from './entries.js';
import { TreeProgress } from './progress.js';

/** The size field has eight hexadecimal digits. */
const largestFile = 0xffff_ffff;
const blockLength = 512;

/** The checksum of the `crc` format: the sum of all bytes modulo 2^32. */
function byteSum(call: Call, contents: Disk, onDamage: OnDamage): number {
  let sum = 0;
  const sink: DataSink = {
    keepsHoles: false,
    write(bytes) {
      for (const byte of bytes) sum = (sum + byte) >>> 0;
    },
    hole() {},
  };
  move(call, contents, sink, { progress: () => call.checkpoint(), onDamage });
  return sum;
}

interface Pending {
  readonly place: Place;
  readonly names: string[];
}

/** Writes an archive of everything in a directory, whose path is for warnings. `format`: `newc` or `crc`. */
export function writeCpio(call: Call, directory: string, start: Place, to: DataSink, format: string): void {
  if (format !== 'newc' && format !== 'crc')
    throw new GuestfsError('EINVAL', `${format}: expecting newc or crc`);
  const out = new BufferedSink(to);
  const progress = new TreeProgress(call, start);
  const { damage } = call.session;
  const told =
    (name: string): OnDamage =>
    (error) =>
      damage.leaveOut(error, pathBelow(directory, name));
  const pad = (): void => writeZeroes(out, (cpioAlignment - (out.position % cpioAlignment)) % cpioAlignment);
  /** Numbers of the archive's own, because inodes of several filesystems may be equal and may not fit. */
  const numbers = new Map<string, number>();
  const pending = new Map<string, Pending>();

  const identity = (place: Place): string => `${place.mount.deviceOf(place.inode)}/${place.inode}`;
  const numberOf = (place: Place): number => {
    const key = identity(place);
    const number = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, number);
    return number;
  };

  const entry = (
    name: string,
    stat: InodeStat | undefined,
    place: Place | undefined,
    withContents: boolean,
  ): void => {
    let link: Uint8Array | undefined;
    let contents: Disk | undefined;
    let sum = 0;
    const isThere = damage.attempt(pathBelow(directory, name), () => {
      if (place?.type === 'symlink') link = encodeText(place.fileSystem.readlink(place.inode));
      if (place?.type === 'file' && withContents) contents = contentsOf(place, name);
      if (contents !== undefined && format === 'crc') sum = byteSum(call, contents, told(name));
    });
    if (!isThere) return;
    const size = (link as Uint8Array | undefined)?.length ?? (contents as Disk | undefined)?.size ?? 0;
    if (size > largestFile)
      throw new GuestfsError('EFBIG', `${name}: cpio has no room for a file of ${size} bytes`);
    const header = {
      ino: place ? numberOf(place) : 0,
      mode: stat?.mode ?? 0,
      uid: stat?.uid ?? 0,
      gid: stat?.gid ?? 0,
      nlink: place?.type === 'directory' ? Math.max(2, stat?.linkCount ?? 2) : (stat?.linkCount ?? 1),
      // As in cpio, times before 1970 and after 2106 are stored as their lower 32 bits.
      mtime: stat?.modified.seconds ?? 0,
      filesize: size,
      devmajor: 0,
      devminor: 0,
      rdevmajor: stat?.deviceMajor ?? 0,
      rdevminor: stat?.deviceMinor ?? 0,
      check: sum,
    };
    out.write(encodeCpioHeader(format, name, header));
    pad();
    if (link !== undefined) out.write(link);
    else if (contents !== undefined) {
      // With checksums, damage was reported when they were computed.
      const onDamage = format === 'crc' ? () => {} : told(name);
      move(call, contents, out, { progress: (moved) => progress.at(moved), onDamage });
      progress.add(size);
    }
    pad();
  };

  for (const { path, place, stat } of distinctEntries(call, start, undefined, directory)) {
    progress.at(0);
    const name = path === '' ? '.' : path;
    if (place.type !== 'file' || stat.linkCount < 2) {
      entry(name, stat, place, true);
      continue;
    }
    const waiting = pending.get(identity(place)) ?? { place, names: [] };
    pending.set(identity(place), waiting);
    waiting.names.push(name);
    if (waiting.names.length < stat.linkCount) continue;
    pending.delete(identity(place));
    for (const each of waiting.names) entry(each, stat, place, each === waiting.names.at(-1));
  }
  for (const { place, names } of pending.values()) {
    const stat = place.fileSystem.stat(place.inode);
    for (const each of names) entry(each, stat, place, each === names.at(-1));
  }
  entry(cpioTrailer, undefined, undefined, false);
  writeZeroes(out, (blockLength - (out.position % blockLength)) % blockLength);
  out.flush();
}
