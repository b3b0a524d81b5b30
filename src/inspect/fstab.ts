/**
 * fstab(5): the mount points of filesystems, with the guest's devices translated into the devices here. Fields are
 * separated by blanks and tabs; a blank in a field is written `\040`.
 */

import { GuestfsError } from '../base/index.js';
import { isSubvolume, subvolumePrefix } from '../formats/index.js';
import type { DeviceTable, Tree } from '../vfs/index.js';
import type { FstabEntry, OsType } from './facts.js';
import { findOnlyDisk, type GuestDevices, resolveDevice } from './fstab-devices.js';
import { readArrays } from './mdadm.js';
import { findQuietly, readLines, shellUnquote } from './text.js';

/** The largest file in bytes, as in libguestfs. */
const fstabLimit = 100_000;

interface Line {
  readonly spec: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Mounts that are left out: virtual filesystems, and removable disks. */
const ignoredDirectories = ['/dev', '/media', '/proc', '/selinux', '/sys'];
/** A disk below `/media` is removable, but one mounted on `/media` itself is kept. */
const ignoredExactly = new Set(['/dev', '/proc', '/selinux', '/sys']);

function isIgnored(mountpoint: string): boolean {
  return (
    ignoredExactly.has(mountpoint) ||
    ignoredDirectories.some((directory) => mountpoint.startsWith(`${directory}/`))
  );
}

/** Floppy disks and CD-ROM drives, by their names in several systems. */
function isRemovable(spec: string): boolean {
  return (
    /^\/dev\/(?:fd|cd)[0-9]/.test(spec) ||
    spec === '/dev/floppy' ||
    spec === '/dev/cdrom' ||
    spec.startsWith('/dev/iso9660/')
  );
}

/** Undoes `\040` and the like. */
function unescapeField(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function parseLine(line: string): Line | undefined {
  const fields = line.split(/[ \t]+/).filter((field) => field !== '');
  const [spec, file, type, options] = fields;
  if (spec === undefined || file === undefined || type === undefined || spec.startsWith('#'))
    return undefined;
  return {
    spec: unescapeField(spec),
    mountpoint: tidyMountpoint(unescapeField(file)),
    type,
    options: options === undefined || options.startsWith('#') ? [] : options.split(','),
  };
}

/** `///usr//local//` becomes `/usr/local`. Texts that are no paths stay unchanged. */
function tidyMountpoint(file: string): string {
  const tidied = file.replace(/\/{2,}/g, '/');
  return tidied.length > 1 && tidied.endsWith('/') ? tidied.slice(0, -1) : tidied;
}

/**
 * The entries of the fstab in `tree`, with devices resolved; the last line first, as in libguestfs. Invalid lines,
 * and devices that are not here, are left out. If there is any entry, `/` is among them: it is the filesystem on
 * which the system was found, unless a line names another one that is here.
 */
export function readFstab(
  tree: Tree,
  root: string,
  type: OsType,
  table: DeviceTable,
  hostArrays: Iterable<{ readonly device: string; readonly uuid: string }>,
): FstabEntry[] {
  const place = findQuietly(tree, '/etc/fstab', true);
  if (place?.type !== 'file' || place.fileSystem.stat(place.inode).sizeInBytes > fstabLimit) return [];
  const lines = (readLines(tree, '/etc/fstab') ?? [])
    .map(parseLine)
    .filter((line) => line !== undefined)
    .filter(({ spec, mountpoint }) => !isRemovable(spec) && !isIgnored(mountpoint));
  const guest: GuestDevices = {
    table,
    type,
    arrays: readArrays(tree, hostArrays),
    onlyDisk: findOnlyDisk(lines, root, table),
  };
  const entries: FstabEntry[] = [];
  for (const line of lines) {
    const mountable = resolveSpec(line, root, guest);
    if (mountable !== undefined)
      entries.push({ mountable: withSubvolume(mountable, line), mountpoint: line.mountpoint });
  }
  return withRoot(entries.reverse(), root, table);
}

function isHere(mountable: string, table: DeviceTable): boolean {
  try {
    table.parseMountable(mountable);
    return true;
  } catch (thrown) {
    if (thrown instanceof GuestfsError) return false;
    throw thrown;
  }
}

/**
 * A guest's fstab may name its root by a hardware name, by a mount of the boot loader, or not at all. But the
 * examined filesystem holds the system, so mounting it on `/` is no guess.
 */
function withRoot(entries: readonly FstabEntry[], root: string, table: DeviceTable): FstabEntry[] {
  const kept = entries.filter(({ mountpoint, mountable }) => mountpoint !== '/' || isHere(mountable, table));
  if (kept.length > 0 && kept.every(({ mountpoint }) => mountpoint !== '/'))
    kept.push({ mountable: root, mountpoint: '/' });
  return kept;
}

/** The device of the first field; undefined for tmpfs, nfs and bind mounts, and for devices that are not here. */
function resolveSpec({ spec, mountpoint }: Line, root: string, guest: GuestDevices): string | undefined {
  const [, tag, value] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/s.exec(spec) ?? [];
  if (tag !== undefined && value !== undefined) {
    const property = tag.toLowerCase() as 'uuid' | 'label' | 'partuuid' | 'partlabel'; // safe: one of the four above
    return guest.table.findByProperty(property, shellUnquote(value))?.name;
  }
  const isBsd = guest.type === 'freebsd' || guest.type === 'netbsd' || guest.type === 'openbsd';
  // BSD device names are hard to translate, but the device of the root is already known.
  if (spec === '/dev/root' || (isBsd && mountpoint === '/')) return root;
  if (spec.startsWith('/dev/')) return resolveDevice(spec, guest);
  // OpenBSD names a partition by the identifier of its disk label and a letter. The label is assumed to be on the
  // first disk.
  const letter = /^[0-9a-f]{16}\.([a-z])/.exec(spec)?.[1];
  return letter === undefined ? undefined : resolveDevice(`/dev/sd0${letter}`, guest);
}

/** The subvolume in the options of a btrfs filesystem. */
function withSubvolume(mountable: string, { type, options }: Line): string {
  if (type !== 'btrfs' || isSubvolume(mountable)) return mountable;
  const option = options.find((each) => each.startsWith('subvol='));
  if (option === undefined) return mountable;
  const subvolume = unescapeField(option.slice('subvol='.length)).replace(/^\/+/, '');
  return subvolume === '' ? mountable : `${subvolumePrefix}${mountable}/${subvolume}`;
}
