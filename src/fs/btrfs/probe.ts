/** Recognises btrfs by the rules of blkid (util-linux, libblkid/src/superblocks/btrfs.c). */
import {
  compareBytes,
  decodePadded,
  encodeHex,
  formatUuid,
  readMaybe,
  trimBlanks,
  viewOf,
} from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { superblock, superblockMagic, superblocksAt } from './layout.js';

/** blkid reads no more of it. */
const probedSize = 0x22b;

function probedView(disk: Disk): DataView | undefined {
  const bytes = readMaybe(disk, superblocksAt[0], probedSize);
  const { at } = superblock.fields.magic;
  if (bytes === undefined) return undefined;
  return compareBytes(bytes.subarray(at, at + superblockMagic.length), superblockMagic) === 0
    ? viewOf(bytes)
    : undefined;
}

function uuidText(uuid: Uint8Array): string {
  return uuid.every((byte) => byte === 0) ? '' : formatUuid(uuid);
}

export function probeBtrfs(disk: Disk): Probed | undefined {
  const view = probedView(disk);
  if (view === undefined) return undefined;
  const device = uuidText(superblock.get(view, 0, 'dev_item_uuid'));
  return {
    type: 'btrfs',
    label: trimBlanks(decodePadded(superblock.get(view, 0, 'label'))),
    uuid: uuidText(superblock.get(view, 0, 'fsid')),
    facts: {
      ...(device === '' ? {} : { UUID_SUB: device }),
      BLOCK_SIZE: String(superblock.get(view, 0, 'sectorsize')),
      USAGE: 'filesystem',
    },
  };
}

/** The filesystem that a disk belongs to, how many disks that has, and which of them it is. */
export function memberOf(
  disk: Disk,
): { readonly set: string; readonly count: number; readonly number: number } | undefined {
  const view = probedView(disk);
  if (view === undefined) return undefined;
  // A count beyond what a number holds is that of a damaged superblock, which opening refuses.
  const { num_devices: count, dev_item_devid: number } = superblock.fields;
  return {
    set: encodeHex(superblock.get(view, 0, 'fsid')),
    count: Number(view.getBigUint64(count.at, true)),
    number: Number(view.getBigUint64(number.at, true)),
  };
}
