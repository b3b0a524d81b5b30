/**
 * Partition tables, made and changed: MBR and GPT, as libguestfs's daemon does it with parted, sfdisk and sgdisk. Other
 * kinds of tables are the appliance's.
 */
import { GuestfsError, systemError, UnsupportedError } from '../../../base/index.js';
import {
  changeByLine,
  editPartitionTable,
  type GptEditor,
  type MbrEditor,
  newPartitionTable,
  readScript,
} from '../../../partition/index.js';
import type { BlockDevice } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { partitionedDevice, tableOf } from '../partitions.js';

type Editor = GptEditor | MbrEditor;

/** What `part_init` knows, by parted's names. */
const partedNames: Readonly<Record<string, string>> = { efi: 'gpt', mbr: 'msdos', rdb: 'amiga' };
const partedSchemes = new Set(['aix', 'amiga', 'bsd', 'dasd', 'dvh', 'gpt', 'mac', 'msdos', 'pc98', 'sun']);

function schemeOf(parttype: string): 'gpt' | 'msdos' {
  const name = Object.hasOwn(partedNames, parttype) ? partedNames[parttype] : parttype;
  if (name === 'gpt' || name === 'msdos') return name;
  if (name !== undefined && partedSchemes.has(name))
    throw new UnsupportedError('part_init', [`a partition table of the kind ${name}`], {
      elsewhere: 'appliance',
    });
  throw new GuestfsError(
    'EINVAL',
    `${parttype}: unknown kind of partition table: the usual ones are mbr and gpt`,
  );
}

const kinds = {
  p: 'primary',
  primary: 'primary',
  l: 'logical',
  logical: 'logical',
  e: 'extended',
  extended: 'extended',
} as const;

function kindOf(prlogex: string): (typeof kinds)[keyof typeof kinds] {
  if (Object.hasOwn(kinds, prlogex)) return kinds[prlogex as keyof typeof kinds]; // safe: it is a key
  throw new GuestfsError('EINVAL', `${prlogex}: must be primary, logical or extended`);
}

const sectorCount = ({ disk, sectorSize }: BlockDevice): number => Math.floor(disk.size / sectorSize);

/** A sector that may be counted from the end of the disk: -1 is the last one. */
function sectorAt(device: BlockDevice, sector: number): number {
  return sector < 0 ? sectorCount(device) + sector : sector;
}

/** Stores a table that was changed, and finds the partitions anew. */
function store(call: Call, device: BlockDevice, editor: Editor): void {
  if (device.readonly) throw systemError('EROFS', device.name);
  call.touch();
  try {
    editor.write();
  } finally {
    call.session.written(device);
  }
}

/** Changes the table of a device. An error names the device. */
function change(call: Call, name: string, work: (editor: Editor, device: BlockDevice) => void): void {
  const { device, table } = tableOf(call, name);
  let editor: Editor;
  try {
    editor = editPartitionTable(device.disk, device.sectorSize, table.scheme);
    work(editor, device);
  } catch (thrown) {
    throw thrown instanceof GuestfsError ? thrown.within(name) : thrown;
  }
  store(call, device, editor);
}

function changeGpt(call: Call, name: string, work: (editor: GptEditor) => void): void {
  change(call, name, (editor) => {
    if (editor.scheme !== 'gpt') throw new GuestfsError('EINVAL', 'has no GPT partition table, but an MBR');
    work(editor);
  });
}

/** EBUSY where a partition is in use: its place may not change under its filesystem. */
function checkUnused(call: Call, device: BlockDevice, number: number): void {
  if (number < 1) throw new GuestfsError('EINVAL', `${number}: partition numbers count from 1`);
  const partition = call.session.devices.partitions(device).find((each) => each.number === number);
  if (partition !== undefined) call.session.checkUnused(partition);
}

/** A device that gets a new table: nothing on it may be in use. */
function unusedDevice(call: Call, name: string): BlockDevice {
  const device = partitionedDevice(call, name);
  call.session.checkUnused(device);
  return device;
}

function refuseGeometry(name: string, geometry: readonly number[]): void {
  if (geometry.some((number) => number !== 0))
    throw new GuestfsError('EINVAL', `${name}: sfdisk has no option for a geometry any more`);
}

/** Changes a primary partition by a line for `sfdisk -N`. */
function changeByScript(
  call: Call,
  name: string,
  number: number,
  geometry: readonly number[],
  line: string,
): void {
  unusedDevice(call, name);
  refuseGeometry(name, geometry);
  change(call, name, (editor, device) => {
    if (editor.scheme !== 'msdos')
      throw new UnsupportedError('sfdisk', ['a line for a GPT'], { elsewhere: 'appliance' });
    if (number < 1) throw new GuestfsError('EINVAL', `${number}: partition numbers count from 1`);
    const changed = changeByLine(line, number, editor.primaries, sectorCount(device), device.sectorSize);
    if (changed !== undefined) editor.put(number, changed);
  });
}

/** Makes a new MBR by lines for sfdisk, which leaves all else on the device as it is. */
function makeByScript(call: Call, name: string, geometry: readonly number[], lines: readonly string[]): void {
  const device = unusedDevice(call, name);
  refuseGeometry(name, geometry);
  const { session } = call;
  const scheme = session.tables.table(device)?.scheme;
  const held = scheme ?? session.contents.probe(device)?.type;
  if (held !== undefined && scheme !== 'msdos')
    throw new UnsupportedError('sfdisk', [`a device with ${held} on it`], { elsewhere: 'appliance' });
  const partitions = readScript(lines, sectorCount(device), device.sectorSize);
  const editor = newPartitionTable(device.disk, device.sectorSize, 'msdos');
  for (const { first, last, mbrId, bootable } of partitions) {
    const number = editor.add({ kind: 'primary', first, last, mbrId });
    if (bootable) editor.setBootable(number, true);
  }
  store(call, device, editor);
}

/** Sectors that `part_disk` leaves free at both ends. */
const margin = 128;

export const partitionWritingHandlers = {
  part_init(call, name, parttype) {
    const device = unusedDevice(call, name);
    store(call, device, newPartitionTable(device.disk, device.sectorSize, schemeOf(parttype)));
  },
  part_disk(call, name, parttype) {
    const device = unusedDevice(call, name);
    const editor = newPartitionTable(device.disk, device.sectorSize, schemeOf(parttype));
    editor.add({ kind: 'primary', first: margin, last: sectorCount(device) - margin, name: 'p1' });
    store(call, device, editor);
  },
  part_add(call, name, prlogex, startsect, endsect) {
    const kind = kindOf(prlogex);
    if (startsect < 0) throw new GuestfsError('EINVAL', `${startsect}: startsect cannot be negative`);
    change(call, name, (editor, device) => {
      // parted, which libguestfs calls, takes the kind for the name where the table has no kinds.
      editor.add({ kind, first: startsect, last: sectorAt(device, endsect), name: kind });
    });
  },
  part_del(call, name, number) {
    change(call, name, (editor, device) => {
      checkUnused(call, device, number);
      editor.remove(number);
    });
  },
  part_resize(call, name, number, endsect) {
    change(call, name, (editor, device) => {
      checkUnused(call, device, number);
      editor.resize(number, sectorAt(device, endsect));
    });
  },
  part_set_bootable(call, name, number, bootable) {
    change(call, name, (editor) => editor.setBootable(number, bootable));
  },
  part_set_mbr_id(call, name, number, id) {
    if (id < 0 || id > 255) throw new GuestfsError('EINVAL', `${id}: a type byte is a number from 0 to 255`);
    change(call, name, (editor) => {
      if (editor.scheme === 'gpt') throw new GuestfsError('EINVAL', 'has no MBR partition table, but a GPT');
      editor.setType(number, id);
    });
  },
  part_set_name: (call, name, number, text) => changeGpt(call, name, (gpt) => gpt.setName(number, text)),
  part_set_gpt_type: (call, name, number, guid) => changeGpt(call, name, (gpt) => gpt.setType(number, guid)),
  part_set_gpt_guid: (call, name, number, guid) => changeGpt(call, name, (gpt) => gpt.setGuid(number, guid)),
  part_set_gpt_attributes: (call, name, number, attributes) =>
    changeGpt(call, name, (gpt) => gpt.setAttributes(number, attributes)),
  part_set_disk_guid: (call, name, guid) => changeGpt(call, name, (gpt) => gpt.setDiskGuid(guid)),
  part_set_disk_guid_random: (call, name) => changeGpt(call, name, (gpt) => gpt.setDiskGuid(undefined)),
  sfdisk: (call, name, cyls, heads, sectors, lines) =>
    makeByScript(call, name, [cyls, heads, sectors], lines),
  sfdisk_N: (call, name, number, cyls, heads, sectors, line) =>
    changeByScript(call, name, number, [cyls, heads, sectors], line),
  sfdiskM(call, name) {
    call.session.devices.resolve(name);
    // The option that libguestfs gives it, for sizes in megabytes, was dropped from sfdisk.
    throw new GuestfsError('EINVAL', `${name}: sfdisk has no unit of megabytes any more: use part_add`);
  },
  part_expand_gpt: (call, name) => changeGpt(call, name, (gpt) => gpt.expand()),
} satisfies TopicHandlers;
