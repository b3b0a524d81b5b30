/**
 * fstab(5): which filesystem belongs where, with the devices of the guest turned into the devices here. Fields are
 * parted by blanks and tabs; a blank in a field is written `\040`.
 */

import type { Tree } from '../vfs/index.js';
import type { FstabEntry, OsType } from './facts.js';
import { type GuestDevices, resolveDevice } from './fstab-devices.js';
import { readArrays } from './mdadm.js';
import { findQuietly, readLines, shellUnquote } from './text.js';

/** libguestfs gives up on larger ones as well; in bytes. */
const fstabLimit = 100_000;

interface Line {
  readonly spec: string;
  readonly file: string;
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
    file: unescapeField(file),
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
 * are no entries, and entries that name no device that is here, are left out.
 */
export function readFstab(
  tree: Tree,
  root: string,
  type: OsType,
  devices: Omit<GuestDevices, 'arrays' | 'type'>,
  hostArrays: Iterable<{ readonly device: string; readonly uuid: string }>,
): FstabEntry[] {
  const place = findQuietly(tree, '/etc/fstab', true);
  if (place?.type !== 'file' || place.fileSystem.stat(place.inode).sizeInBytes > fstabLimit) return [];
  const guest: GuestDevices = { ...devices, type, arrays: readArrays(tree, hostArrays) };
  const entries: FstabEntry[] = [];
  for (const text of readLines(tree, '/etc/fstab') ?? []) {
    const line = parseLine(text);
    if (line === undefined || isRemovable(line.spec)) continue;
    const mountpoint = tidyMountpoint(line.file);
    if (isIgnored(mountpoint)) continue;
    const mountable = resolveSpec(line, mountpoint, root, guest);
    if (mountable === undefined) continue;
    entries.push({ mountable: withSubvolume(mountable, line), mountpoint });
  }
  return entries.reverse();
}

/** The device that the first field means; undefined for what is none (tmpfs, nfs, bind mounts) or is not here. */
function resolveSpec(line: Line, mountpoint: string, root: string, guest: GuestDevices): string | undefined {
  const { spec } = line;
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
