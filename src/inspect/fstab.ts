/**
 * fstab(5): which filesystem belongs where, with the devices of the guest turned into the devices here. Fields are
 * parted by blanks and tabs; a blank in a field is written `\040`.
 */

import { GuestfsError } from '../base/index.js';
import type { DeviceTable, Tree } from '../vfs/index.js';
import type { FstabEntry, OsType } from './facts.js';
import { findOnlyDisk, type GuestDevices, resolveDevice } from './fstab-devices.js';
import { readArrays } from './mdadm.js';
import { findQuietly, readLines, shellUnquote } from './text.js';

/** libguestfs gives up on larger ones as well; in bytes. */
const fstabLimit = 100_000;

interface Line {
  readonly spec: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Mounts of no interest: of the system's own doing, or of removable disks. */
const ignoredDirectories = ['/dev', '/media', '/proc', '/selinux', '/sys'];
/** A disk in `/media` comes and goes, but one mounted on `/media` itself is kept. */
const ignoredExactly = new Set(['/dev', '/proc', '/selinux', '/sys']);

function isIgnored(mountpoint: string): boolean {
  return (
    ignoredExactly.has(mountpoint) ||
    ignoredDirectories.some((directory) => mountpoint.startsWith(`${directory}/`))
  );
}

/** Floppy disks and CD-ROM drives, under the names of several systems. */
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

/** `///usr//local//` to `/usr/local`. What is no path stays as it is. */
function tidyMountpoint(file: string): string {
  const tidied = file.replace(/\/{2,}/g, '/');
  return tidied.length > 1 && tidied.endsWith('/') ? tidied.slice(0, -1) : tidied;
}

/**
 * What the fstab of the filesystem in `tree` names, resolved; last line first, as libguestfs gives it. Lines that
 * are no entries, and entries that name no device that is here, are left out. Where something is named, `/` is among it:
 * the filesystem on which the system was found, unless a line names another that is here.
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
 * A guest's fstab may name its root by a device of the guest's hardware, by what the loader mounted before, or not at all.
 * But the filesystem that was looked into holds the system, so nothing is guessed in mounting it on `/`.
 */
function withRoot(entries: readonly FstabEntry[], root: string, table: DeviceTable): FstabEntry[] {
  const kept = entries.filter(({ mountpoint, mountable }) => mountpoint !== '/' || isHere(mountable, table));
  if (kept.length > 0 && kept.every(({ mountpoint }) => mountpoint !== '/'))
    kept.push({ mountable: root, mountpoint: '/' });
  return kept;
}

/** The device that the first field means; undefined for what is none (tmpfs, nfs, bind mounts) or is not here. */
function resolveSpec({ spec, mountpoint }: Line, root: string, guest: GuestDevices): string | undefined {
  const [, tag, value] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/s.exec(spec) ?? [];
  if (tag !== undefined && value !== undefined) {
    const property = tag.toLowerCase() as 'uuid' | 'label' | 'partuuid' | 'partlabel'; // safe: one of the four above
    return guest.table.findByProperty(property, shellUnquote(value))?.name;
  }
  const isBsd = guest.type === 'freebsd' || guest.type === 'netbsd' || guest.type === 'openbsd';
  // The devices of BSD are hard to tell, but where its root is is known already.
  if (spec === '/dev/root' || (isBsd && mountpoint === '/')) return root;
  if (spec.startsWith('/dev/')) return resolveDevice(spec, guest);
  // OpenBSD names a partition by its disk label's identifier and a letter; take it to be on the first disk.
  const letter = /^[0-9a-f]{16}\.([a-z])/.exec(spec)?.[1];
  return letter === undefined ? undefined : resolveDevice(`/dev/sd0${letter}`, guest);
}

/** Of a btrfs filesystem, the subvolume that the options name. */
function withSubvolume(mountable: string, { type, options }: Line): string {
  if (type !== 'btrfs' || mountable.startsWith('btrfsvol:')) return mountable;
  const option = options.find((each) => each.startsWith('subvol='));
  if (option === undefined) return mountable;
  const subvolume = unescapeField(option.slice('subvol='.length)).replace(/^\/+/, '');
  return subvolume === '' ? mountable : `btrfsvol:${mountable}/${subvolume}`;
}
