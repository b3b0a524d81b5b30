/**
 * Translates the guest's block device names into the names here. The disks are assumed to have been added in the
 * guest's order, because nothing else is known. A name that is unknown, or whose device is not here, stays unchanged.
 */
import { lettersToIndex, partitionName } from '../formats/index.js';
import type { DeviceTable } from '../vfs/index.js';
import type { OsType } from './facts.js';

export interface GuestDevices {
  readonly table: DeviceTable;
  readonly type: OsType;
  /** The guest's names of MD arrays, each with its device here. */
  readonly arrays: ReadonlyMap<string, string>;
  /** The guest's name of the disk that is the only drive here; undefined if that is uncertain. */
  readonly onlyDisk: string | undefined;
}

/** A device of a guest's fstab, by its name here. */
export function resolveDevice(spec: string, guest: GuestDevices): string {
  return (
    resolveMapper(spec, guest) ??
    resolveByLetters(spec, guest) ??
    guest.arrays.get(spec) ??
    resolveByLink(spec, guest) ??
    resolveById(spec, guest) ??
    resolveOnlyDisk(spec, guest) ??
    resolveFreeBsd(spec) ??
    resolveBsd(spec, guest.type) ??
    resolveHurd(spec, guest) ??
    spec
  );
}

/** `/dev/mapper/VG-LV`. */
function resolveMapper(spec: string, { table }: GuestDevices): string | undefined {
  return spec.startsWith('/dev/mapper/') ? table.find(spec)?.name : undefined;
}

/** `/dev/hda1`, `/dev/sda1`, `/dev/vda1`, `/dev/xvda1`: by position. */
function resolveByLetters(spec: string, guest: GuestDevices): string | undefined {
  const [, letters, number] = /^\/dev\/(?:h|s|v|xv)d([a-z]{1,4})([1-9][0-9]*)$/.exec(spec) ?? [];
  if (letters === undefined || number === undefined) return undefined;
  // As in libguestfs, the drive must exist, but the partition is not checked.
  const drive = guest.table.drives[lettersToIndex(letters)];
  return drive && partitionName(drive.name, Number(number));
}

function partitionAt({ table }: GuestDevices, index: number, number: string): string | undefined {
  const drive = table.drives[index];
  if (drive === undefined) return undefined;
  return table.partitions(drive).find((partition) => String(partition.number) === number)?.name;
}

/**
 * udev's links that name the contents of a disk, and so are equal in the guest and here: `/dev/disk/by-uuid/…` and
 * similar ones, and LVM's names of volumes. Links that name hardware are valid only in the guest.
 */
const lastingLink =
  /^\/dev\/disk\/(?:by-(?:uuid|label|partuuid|partlabel)\/|by-id\/(?:dm-(?:name|uuid)|lvm-pv-uuid)-)/;

function resolveByLink(spec: string, { table }: GuestDevices): string | undefined {
  return lastingLink.test(spec) ? table.find(spec)?.name : undefined;
}

/**
 * `/dev/disk/by-id/…-part2`: the disk of the identifier is unknown here, so the name is clear only if there is one
 * disk.
 */
function resolveById(spec: string, guest: GuestDevices): string | undefined {
  const number = /^\/dev\/disk\/by-id\/.*-part([0-9]+)$/.exec(spec)?.[1];
  if (number === undefined || guest.table.drives.length !== 1) return undefined;
  return partitionAt(guest, 0, number);
}

/** A partition whose name identifies a disk of the guest, but no drive here. */
interface NumberedPartition {
  /** `/dev/mmcblk0`, `/dev/nvme0n1`, `/dev/cciss/c0d0`, `/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0`. */
  readonly disk: string;
  readonly number: string;
}

function numberedPartition(spec: string): NumberedPartition | undefined {
  const [, disk, number] =
    /^(\/dev\/(?:mmcblk[0-9]+|nvme[0-9]+n[0-9]+|(?:cciss|ida|rd)\/c[0-9]+d[0-9]+))p([1-9][0-9]*)$/.exec(
      spec,
    ) ??
    /^(\/dev\/disk\/by-path\/.+)-part([1-9][0-9]*)$/.exec(spec) ??
    [];
  return disk === undefined || number === undefined ? undefined : { disk, number };
}

/**
 * The guest's name of the only drive here, if its fstab leaves no doubt. Either the device mounted on `/` has the
 * number of the partition on which the system was found; or, if `/` is given in another way, all such names are of
 * one disk.
 */
export function findOnlyDisk(
  lines: readonly { readonly spec: string; readonly mountpoint: string }[],
  root: string,
  table: DeviceTable,
): string | undefined {
  if (table.drives.length !== 1) return undefined;
  const named = lines.flatMap(({ spec, mountpoint }) => {
    const partition = numberedPartition(spec);
    return partition === undefined ? [] : [{ ...partition, mountpoint }];
  });
  const ofRoot = named.find(({ mountpoint }) => mountpoint === '/');
  if (ofRoot !== undefined)
    return ofRoot.number === String(table.find(root)?.number) ? ofRoot.disk : undefined;
  const [only, ...others] = new Set(named.map(({ disk }) => disk));
  return others.length === 0 ? only : undefined;
}

function resolveOnlyDisk(spec: string, guest: GuestDevices): string | undefined {
  const partition = numberedPartition(spec);
  if (partition === undefined || partition.disk !== guest.onlyDisk) return undefined;
  return partitionAt(guest, 0, partition.number);
}

/** The letter of a drive; undefined past `z`, since the rules below have no more letters. */
function driveLetter(index: number): string | undefined {
  return index < 26 ? String.fromCharCode(0x61 + index) : undefined;
}

/**
 * FreeBSD: `/dev/ada0p2` is a partition of a GPT; `/dev/ada0s1a` is a BSD partition inside the first MBR slice. Linux
 * numbers these from 5, without `c`, which is the whole slice.
 */
function resolveFreeBsd(spec: string): string | undefined {
  const [, gptDisk, gptPart] = /^\/dev\/(?:ada?|vtbd)([0-9]{1,2})p([0-9]{1,3})$/.exec(spec) ?? [];
  if (gptDisk !== undefined) {
    const letter = driveLetter(Number(gptDisk));
    return letter === undefined || Number(gptPart) > 128 ? undefined : `/dev/sd${letter}${Number(gptPart)}`;
  }
  const [, disk, slice, part] = /^\/dev\/(?:ada?|vtbd)([0-9]{1,2})s([0-9]+)([a-z])$/.exec(spec) ?? [];
  if (disk === undefined || slice !== '1' || part === undefined) return undefined;
  return numberedFromFive(Number(disk), part, ['c'], 25);
}

/** NetBSD and OpenBSD: `/dev/wd0a`. The letters of the whole slice and the whole disk are no partitions in Linux. */
function resolveBsd(spec: string, type: OsType): string | undefined {
  const [, kind, disk, part] = /^\/dev\/([lsw])d([0-9])([a-z])$/.exec(spec) ?? [];
  if (disk === undefined || part === undefined) return undefined;
  if (type === 'netbsd' && kind !== 'w') return numberedFromFive(Number(disk), part, ['c', 'd'], 24);
  if (type === 'openbsd' && kind !== 'l') return numberedFromFive(Number(disk), part, ['c'], 15);
  return undefined;
}

/** The partition with a letter, if the letters in `skipped` have no number. */
function numberedFromFive(
  disk: number,
  part: string,
  skipped: readonly string[],
  limit: number,
): string | undefined {
  const letter = driveLetter(disk);
  const before = skipped.filter((each) => each < part).length;
  const index = part.charCodeAt(0) - 0x61 - before;
  return letter === undefined || index >= limit ? undefined : `/dev/sd${letter}${index + 5}`;
}

/** GNU/Hurd: `/dev/hd0s1` is the first partition of the first disk. */
function resolveHurd(spec: string, guest: GuestDevices): string | undefined {
  const [, disk, number] = /^\/dev\/hd([0-9]{1,2})s([0-9]+)$/.exec(spec) ?? [];
  return disk === undefined || number === undefined ? undefined : partitionAt(guest, Number(disk), number);
}
