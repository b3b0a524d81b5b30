/**
 * What the commands print with `--json`, for the reference documentation. `test/cli/json-shapes.test.ts` holds it
 * against what they really print.
 *
 * A type is `string`, `number`, `boolean`, `any`, or the name of a shape. `TYPE[]` is a list, `{TYPE}` an object whose
 * keys are data, `TYPE | null` a fact that may be lacking. A field whose name ends in `?` is absent where it would say
 * nothing.
 */
import type { CommandName } from './command-names.js';

type Shape = Readonly<Record<string, readonly [type: string, text: string]>>;

/** The output of each command that has `--json`. For tests. */
export const jsonOutputs = {
  inspect: 'Inspected',
  filesystems: 'Filesystem[]',
  info: 'Image',
  ls: 'File[]',
  stat: 'File[]',
  find: 'File',
  df: 'Usage[]',
  call: 'any',
  actions: 'Action[]',
  doctor: 'Machine',
} as const satisfies { readonly [N in CommandName]?: string };

/** What is to be known of an output beside its type. For tests. */
export const jsonNotes = {
  find: 'One object on each line.',
  call: 'The result of the action: bytes as base64, 64 bits as text, a struct or a hash table as an object, null for none. Of several actions a list of their results.',
} as const satisfies { readonly [N in keyof typeof jsonOutputs]?: string };

/** The shapes by their names. For tests. */
export const jsonShapes: Readonly<Record<string, Shape>> = {
  Inspected: {
    image: ['string', 'the file, as it was given'],
    operatingSystems: ['System[]', 'the operating systems that were found'],
    filesystems: ['Filesystem[]', 'what there is to mount'],
    unreadable: ['Unreadable[]', 'what could not be read, and so is not among these'],
  },
  System: {
    root: ['string', 'the filesystem of its `/`'],
    type: ['string | null', '`linux`, `windows`, …'],
    distro: ['string | null', '`debian`, `fedora`, …'],
    productName: ['string | null', 'its name for people'],
    productVariant: ['string | null', '`Server`, …'],
    majorVersion: ['number', '0 where it is not known'],
    minorVersion: ['number', '0 where it is not known'],
    arch: ['string | null', '`x86_64`, `aarch64`, …'],
    hostname: ['string | null', 'its name in the network'],
    osinfo: ['string | null', "libosinfo's short name: `debian12`"],
    packageFormat: ['string | null', '`deb`, `rpm`, …'],
    packageManagement: ['string | null', '`apt`, `dnf`, …'],
    filesystems: ['string[]', 'the devices that its configuration names, swap among them'],
    mountpoints: ['{string}', 'the device for each directory, by its configuration'],
    packages: ['Package[] | null', 'what is installed; null where that cannot be listed'],
    packagesProblem: ['string | null', 'why it cannot'],
  },
  Package: {
    name: ['string', 'its name'],
    epoch: ['number', '0 where there is none'],
    version: ['string', 'without epoch and release'],
    release: ['string | null', 'the release of the package'],
    arch: ['string | null', 'the architecture it was built for'],
    summary: ['string | null', 'what it is, in a line'],
    sourcePackage: ['string | null', 'what it was built from'],
  },
  Filesystem: {
    device: ['string', '`/dev/sda1`, or a subvolume'],
    type: ['string', '`ext4`, `swap`, `unknown`, …'],
    label: ['string | null', 'its label'],
    uuid: ['string | null', 'its UUID'],
    deviceSizeInBytes: ['number | null', 'the size of the device; null for a subvolume'],
    sizeInBytes: [
      'number | null',
      'the size of the filesystem; null, as the next two, where it is not mounted',
    ],
    usedInBytes: ['number | null', 'what is in use'],
    availableInBytes: ['number | null', 'what those who are not root may still use'],
    problem: ['string | null', 'why it cannot be mounted, or is unknown'],
  },
  Unreadable: {
    device: ['string', '`/dev/sda2`'],
    type: ['string | null', 'what was recognised on it'],
    code: ['string', '`EIO` if it is damaged, `ENOTSUP` if it is not implemented, …'],
    message: ['string', 'why, in words'],
    'elsewhere?': ['string', '`appliance` where the appliance may read it, `nowhere` where it cannot either'],
  },
  Image: {
    image: ['string', 'the file, as it was given'],
    chain: ['Link[]', 'the image, and the images below it'],
    drives: ['Drive[] | null', 'the disks; null, as the next two, where the image cannot be opened'],
    volumes: ['Volume[] | null', 'the logical volumes'],
    unreadable: ['Unreadable[] | null', 'what could not be read, and so is not among these'],
    problem: ['string | null', 'why the image cannot be opened'],
  },
  Link: {
    path: ['string', 'the file, absolute'],
    format: ['string', "by qemu's name"],
    virtualSizeInBytes: ['number', 'what the guest sees'],
    'sectorSizeInBytes?': ['number', 'of the formats that tell it'],
    encrypted: ['boolean', 'whether its data is encrypted'],
    backingFile: ['string | null', 'the image below, as the image names it'],
    backingFormat: ['string | null', 'its format, as the image names it'],
    dataFile: ['string | null', 'the file that has the data'],
    'extentFiles?': ['string[]', 'the files that have the data, in the order of the disk'],
    snapshots: ['Snapshot[]', 'the internal snapshots'],
    'snapshotsLeftOut?': ['number', 'how many more there are'],
    sizeInBytes: ['number', 'of the file'],
    usedInBytes: ['number', 'what the file takes on the disk of the host'],
    facts: ['{any}', "facts of the format, by qemu-img's names"],
  },
  Snapshot: {
    id: ['string', 'its number'],
    name: ['string', 'its name'],
    createdAt: ['number', 'seconds since 1970'],
    virtualSizeInBytes: ['number', 'what the guest saw'],
    vmStateSizeInBytes: ['number', 'the memory of the machine, 0 where it is not in it'],
  },
  Drive: {
    device: ['string', '`/dev/sda`'],
    sizeInBytes: ['number', 'its size'],
    sectorSizeInBytes: ['number', 'its logical sectors'],
    table: ['string | null', 'the kind of its partition table: `gpt`, `msdos`, …'],
    partitions: ['Partition[]', 'in the order of their devices'],
    content: [
      'string | null',
      'what is on a drive without partitions, or whose partitions hold nothing known',
    ],
    label: ['string | null', 'the label of that'],
  },
  Partition: {
    device: ['string', '`/dev/sda1`'],
    number: ['number', 'in the table, from 1'],
    startInBytes: ['number', 'where it begins on the drive'],
    sizeInBytes: ['number', 'its size'],
    type: ['string', 'the GUID of its type, or the byte as `0x83`'],
    purpose: ['string', 'the type in words'],
    name: ['string | null', 'its name in a GPT'],
    uuid: ['string | null', 'its GUID in a GPT'],
    bootable: ['boolean', 'whether it is marked for booting'],
    content: ['string | null', '`ext4`, `LVM2_member`, …'],
    label: ['string | null', 'the label of that'],
  },
  Volume: {
    device: ['string', '`/dev/GROUP/VOLUME`'],
    sizeInBytes: ['number', 'its size; 0 where it cannot be opened'],
    content: ['string | null', '`ext4`, `swap`, …'],
    label: ['string | null', 'the label of that'],
  },
  File: {
    path: ['string', 'in the guest; bytes that are no UTF-8 are lone surrogates U+DC80 to U+DCFF'],
    type: ['string', '`file`, `directory`, `symlink`, `character`, `block`, `fifo` or `socket`'],
    mode: ['string', 'four octal digits: `0644`'],
    nlink: ['number', 'how many names it has'],
    uid: ['number', 'its owner'],
    gid: ['number', 'its group'],
    size: ['number', 'in bytes'],
    blocks: ['number', 'what it takes, in units of 512 bytes'],
    ino: ['number', 'its inode'],
    dev: ['number', 'the device that it is on'],
    atime: ['number', 'last read: seconds since 1970, with nanoseconds'],
    mtime: ['number', 'contents last changed'],
    ctime: ['number', 'attributes last changed'],
    'major?': ['number', 'of a device file'],
    'minor?': ['number', 'of a device file'],
    'target?': ['string', 'of a symbolic link; `find` has it not'],
  },
  Usage: {
    device: ['string', '`/dev/sda1`'],
    mountpoint: ['string | null', 'where it is mounted, with -i or -m'],
    sizeInBytes: ['number | null', 'null, as the next four, where it cannot be mounted'],
    usedInBytes: ['number | null', 'what is in use'],
    availableInBytes: ['number | null', 'what those who are not root may still use'],
    inodes: ['number | null', 'how many files it can hold; 0 where there is no such limit'],
    usedInodes: ['number | null', 'how many it holds'],
    problem: ['string | null', 'why it cannot be mounted'],
  },
  Action: {
    name: ['string', 'for `guestfs call`'],
    topic: ['string', 'what it is about'],
    short: ['string', 'what it does, in a line'],
    needsAppliance: ['boolean', 'whether the appliance is booted for it'],
    changesDisks: ['boolean', 'whether it changes what is on disks, which takes --rw'],
  },
  Machine: {
    version: ['string', 'of guestfs'],
    works: ['boolean', 'whether any backend works'],
    backends: ['Verdict[]', 'a verdict for each backend'],
    common: ['Check[]', 'what all of them need'],
    embedded: ['Engine', 'the embedded backend'],
    direct: ['Direct', 'the appliance'],
  },
  Verdict: {
    backend: ['string', '`embedded`, `direct`, `auto`'],
    works: ['boolean', 'whether it works here'],
    summary: ['string', 'why, in a line'],
  },
  Engine: {
    checks: ['Check[]', 'what was looked at'],
    imageFormats: ['Reads', 'formats of images'],
    filesystems: ['Reads', 'kinds of filesystems'],
  },
  Direct: { checks: ['Check[]', 'what was looked at'] },
  Reads: {
    reads: ['string[]', 'those that it reads'],
    doesNotRead: ['string[]', 'those that it only knows by name'],
  },
  Check: {
    name: ['string', 'what was looked at'],
    status: ['string', '`ok`, `limited`, `missing` or `failed`'],
    detail: ['string', 'what was seen'],
    'remedy?': ['string', 'what to do'],
    'facts?': ['{any}', 'the detail for programs'],
  },
};
