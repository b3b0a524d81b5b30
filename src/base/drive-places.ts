/**
 * Names of drives by their place in the order of `add_drive`: Linux's letters for it, and the links by which libguestfs's
 * appliance shows it. There the drives are the disks of one SCSI controller, in its third PCI slot.
 */

/** `a` … `z`, `aa` …: the letters of the drive at an index, from 0. */
export function driveLetters(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(0x61 + (rest % 26)) + letters;
  }
  return letters;
}

/** A drive, or a partition of it. */
export interface DrivePlace {
  /** From 0. */
  readonly index: number;
  /** From 1; undefined: the whole drive. */
  readonly partition: number | undefined;
}

/**
 * By qemu's name for the drive, and by the controller's target. The order in which the kernel meets the disks is another at
 * each boot, so what counts by it (`by-diskseq`, `/dev/block`) names no certain drive.
 */
const places: readonly RegExp[] = [
  /^\/dev\/disk\/by-id\/scsi-0QEMU_QEMU_HARDDISK_hd(0|[1-9][0-9]{0,2})(?:-part([1-9][0-9]{0,2}))?$/,
  /^\/dev\/disk\/by-path\/pci-0000:00:03\.0-scsi-0:0:(0|[1-9][0-9]{0,2}):0(?:-part([1-9][0-9]{0,2}))?$/,
];

/** The place that a link under `/dev/disk` stands for; undefined for every other name. */
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
