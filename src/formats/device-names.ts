/**
 * Names of block devices. Drives are `/dev/sda`, `/dev/sdb` … in the order of `add_drive`, as Linux names the disks
 * of one SCSI controller. Names of other drivers (`/dev/hda`, `/dev/vda`, …) mean the same disk. Volumes are
 * `/dev/VG/LV`, and in the device mapper's own notation `/dev/mapper/VG-LV`.
 */

/** `a` … `z`, `aa` …: the letters of the drive at an index, from 0. */
function driveLetters(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(0x61 + (rest % 26)) + letters;
  }
  return letters;
}

/** The index for drive letters: `a` is 0, `aa` is 26. */
export function lettersToIndex(letters: string): number {
  let index = 0;
  for (const letter of letters) index = index * 26 + (letter.charCodeAt(0) - 0x60);
  return index - 1;
}

/** `/dev/sda` for 0, `/dev/sdaa` for 26. */
export function driveName(index: number): string {
  return `/dev/sd${driveLetters(index)}`;
}

/** The index of a drive by its name under any driver, from 0; undefined for other names. */
export function driveIndex(name: string): number | undefined {
  // Three letters name 18,278 disks, far more than any handle has.
  const letters = /^\/dev\/sd([a-z]{1,3})$/.exec(canonicalDriveName(name))?.[1];
  return letters === undefined ? undefined : lettersToIndex(letters);
}

/** `/dev/sda` and 5 give `/dev/sda5`. After a drive name that ends in a digit, a `p` is inserted. */
export function partitionName(drive: string, number: number): string {
  return /[0-9]$/.test(drive) ? `${drive}p${number}` : `${drive}${number}`;
}

/** The drivers whose disks are named by letters: IDE, virtio, Xen, User Mode Linux. */
const letteredDrivers = ['hd', 'vd', 'xvd', 'ubd'] as const;

/**
 * A disk or partition name in the API's spelling, `/dev/sdX`; other names stay unchanged. `drivers`: the drivers
 * whose names are translated.
 */
export function canonicalDriveName(
  name: string,
  drivers: readonly (typeof letteredDrivers)[number][] = letteredDrivers,
): string {
  const [, driver, rest] = /^\/dev\/([hv]d|xvd|ubd)([a-z]+[0-9]*)$/.exec(name) ?? [];
  return drivers.some((known) => known === driver) ? `/dev/sd${rest}` : name;
}

/** `/dev/VG/LV`. */
export function volumeName(group: string, volume: string): string {
  return `/dev/${group}/${volume}`;
}

/** `/dev/mapper/VG-LV`: a hyphen separates group and volume, so a hyphen within either is doubled. */
export function mapperName(group: string, volume: string): string {
  return `/dev/mapper/${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
}

/** Whether a name may be a logical volume in the device mapper's own notation. */
export function isMapperName(name: string): boolean {
  return name.startsWith('/dev/mapper/') || name.startsWith('/dev/dm-');
}

/** A drive, or a partition of it. */
export interface DrivePlace {
  /** From 0. */
  readonly index: number;
  /** From 1; undefined: the whole drive. */
  readonly partition: number | undefined;
}

/**
 * The links by which libguestfs's appliance shows a drive: by qemu's name for it, and by its target on the
 * controller, which is in the third PCI slot. The kernel finds the disks in another order at each boot, so links that
 * depend on that order (`by-diskseq`, `/dev/block`) name no certain drive.
 */
const places: readonly RegExp[] = [
  /^\/dev\/disk\/by-id\/scsi-0QEMU_QEMU_HARDDISK_hd(0|[1-9][0-9]{0,2})(?:-part([1-9][0-9]{0,2}))?$/,
  /^\/dev\/disk\/by-path\/pci-0000:00:03\.0-scsi-0:0:(0|[1-9][0-9]{0,2}):0(?:-part([1-9][0-9]{0,2}))?$/,
];

/** The drive of a link under `/dev/disk`; undefined for other names. */
export function placeOfLink(name: string): DrivePlace | undefined {
  if (!name.startsWith('/dev/disk/by-')) return undefined;
  for (const form of places) {
    const [, index, partition] = form.exec(name) ?? [];
    if (index !== undefined)
      return {
        index: Number(index),
        partition: partition === undefined ? undefined : Number(partition),
      };
  }
  return undefined;
}
