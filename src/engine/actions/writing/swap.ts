/** Swap areas: made, and in use. As mkswap(8) and swapon(8), which libguestfs runs. */
import { encodeText, GuestfsError, systemError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { swapHeader, whyNoSwap } from '../../../fs/index.js';
import type { BlockDevice, DeviceProperty } from '../../../vfs/index.js';
import { contentsOf } from '../../session/contents.js';
import { plainCall } from '../../session/session-calls.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { blankMark, eraseSignatures, findSignatures } from './signatures.js';
import { uuidBytes } from './uuids.js';
import { treeWriter, withContents } from './writer.js';

interface SwapOptions {
  readonly label?: string | undefined;
  readonly uuid?: string | undefined;
}

/** In bytes: libguestfs takes one more than the area has room for, and mkswap cuts it off. */
const longestLabel = 16;

/** EINVAL for a label that is too long. */
export function checkSwapLabel(label: string): void {
  if (encodeText(label).length > longestLabel)
    throw new GuestfsError('EINVAL', `${label}: Linux swap labels are limited to ${longestLabel} bytes`);
}

function makeSwap(call: Call, name: string, { label = '', uuid }: SwapOptions): void {
  checkSwapLabel(label);
  const device = writableDevice(call, name);
  call.session.checkUnused(device);
  const header = swapHeader(device.disk.size, { label: encodeText(label), uuid: uuidBytes(uuid) });
  // As libguestfs does before it makes anything on a device.
  eraseSignatures(call, device, { tables: true });
  changeDevice(call, device, (disk) => disk.write(header, 0));
}

/** Makes a file of the guest a swap area, as mkswap does: whatever else it may be is erased. */
function makeSwapFile(call: Call, path: string): void {
  const { contents } = treeWriter(call).open(path);
  withContents(contents, (disk) => {
    const header = swapHeader(disk.size, { label: new Uint8Array(0), uuid: uuidBytes(undefined) });
    const wiped = { name: path, disk, sectorSize: 512, whole: true };
    for (const mark of findSignatures(wiped, false, call.session.config.tmpdir)) blankMark(disk, mark);
    disk.write(header, 0);
  });
}

function checkSwap(disk: Disk, name: string): void {
  const problem = whyNoSwap(disk);
  if (problem !== undefined) throw new GuestfsError('EINVAL', `${name}: cannot be swapped to: ${problem}`);
}

function startDevice(call: Call, device: BlockDevice): void {
  call.session.checkUnused(device);
  if (device.readonly) throw new GuestfsError('EPERM', `${device.name}: the device is read-only`);
  checkSwap(device.disk, device.name);
  call.session.swaps.addDevice(device);
  call.session.calls.record('swaps', [device], plainCall('swapon_device', device.name));
}

function stopDevice({ session }: Call, device: BlockDevice): void {
  session.swaps.removeDevice(device);
  session.calls.takeBack('swaps', device, plainCall('swapoff_device', device.name));
}

/** The device with the property of a swap area. */
function find(call: Call, property: DeviceProperty, value: string): BlockDevice {
  const device = call.session.findByProperty(property, value);
  if (device === undefined) throw new GuestfsError('ENOENT', `${value}: no device has this ${property}`);
  return device;
}

function startFile(call: Call, path: string): void {
  const place = call.session.tree.resolve(path);
  const disk = contentsOf(place, path);
  if (place.mount.readonly) throw systemError('EROFS', path);
  checkSwap(disk, path);
  for (let at = 0; at < disk.size; ) {
    const span = disk.span(at, disk.size - at);
    if (span.hole) throw new GuestfsError('EINVAL', `${path}: cannot be swapped to: it has holes`);
    at += span.length;
  }
  call.session.swaps.addFile(place.mount, place.inode, path);
  call.session.calls.record('swaps', [path], plainCall('swapon_file', path));
}

function stopFile({ session }: Call, path: string): void {
  const { mount, inode } = session.tree.resolve(path);
  const used = session.swaps.removeFile(mount, inode, path);
  session.calls.takeBack('swaps', used, plainCall('swapoff_file', used));
}

export const swapHandlers = {
  mkswap: makeSwap,
  mkswap_L: (call, label, name) => makeSwap(call, name, { label }),
  mkswap_file: makeSwapFile,
  mkswap_U: (call, uuid, name) => makeSwap(call, name, { uuid }),
  swapon_device: (call, name) => startDevice(call, call.session.devices.resolve(name)),
  swapoff_device: (call, name) => stopDevice(call, call.session.devices.resolve(name)),
  swapon_label: (call, label) => startDevice(call, find(call, 'label', label)),
  swapoff_label: (call, label) => stopDevice(call, find(call, 'label', label)),
  swapon_uuid: (call, uuid) => startDevice(call, find(call, 'uuid', uuid)),
  swapoff_uuid: (call, uuid) => stopDevice(call, find(call, 'uuid', uuid)),
  swapon_file: startFile,
  swapoff_file: stopFile,
} satisfies TopicHandlers;
