/** Recognising filesystems by their signatures. */
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import type { Probed } from '../../disk/index.js';
import { extDetails, fileSystems, xfsGeometry } from '../../fs/index.js';
import { blockDeviceFacts } from '../session/block-device-facts.js';
import { listFileSystems } from '../session/filesystem-list.js';
import { foundBy } from '../session/unreadable.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** The content of a mountable; undefined if unknown. */
function probe(call: Call, mountable: string): Probed | undefined {
  const { device } = call.session.devices.parseMountable(mountable);
  return call.session.contents.probe(device);
}

/** In bytes. Only a filesystem that can be opened has an answer. */
function minimumSize(call: Call, mountable: string): number {
  const { device } = call.session.devices.parseMountable(mountable);
  const { fileSystem, release } = call.session.fileSystems.open(device);
  try {
    const geometry = xfsGeometry(fileSystem, device.name);
    // XFS cannot shrink: what libguestfs answers is its size.
    if (geometry !== undefined)
      return Number(geometry.get('data.bsize')) * Number(geometry.get('data.blocks'));
    const details = extDetails(fileSystem);
    if (details === undefined)
      throw new UnsupportedError(
        mountable,
        [`how small ${fileSystem.type} can be (only ext2, ext3, ext4 and xfs)`],
        // The programs of these two know it.
        ['btrfs', 'ntfs'].includes(fileSystem.type) ? { elsewhere: 'appliance' } : {},
      );
    return details.minimumBlockCount() * details.blockSize;
  } finally {
    release();
  }
}

export const filesystemHandlers = {
  vfs_type: (call, mountable) => probe(call, mountable)?.type ?? '',
  vfs_label: (call, mountable) => probe(call, mountable)?.label ?? '',
  vfs_uuid: (call, mountable) => probe(call, mountable)?.uuid ?? '',
  // For any content of the device, ext or not: libguestfs made these two other names for it.
  get_e2label: (call, name) => probe(call, name)?.label ?? '',
  get_e2uuid: (call, name) => probe(call, name)?.uuid ?? '',
  vfs_minimum_size: minimumSize,
  findfs_label: (call, label) =>
    foundBy(call.session, 'label', label, `no filesystem has the label ${label}`),
  findfs_uuid: (call, uuid) => foundBy(call.session, 'uuid', uuid, `no filesystem has the UUID ${uuid}`),
  list_filesystems: listFileSystems,
  blkid: (call, name) => blockDeviceFacts(call.session, name),
  luks_uuid(call, name) {
    const probed = call.session.contents.probe(call.session.devices.resolve(name));
    if (probed?.type !== 'crypto_LUKS') throw new GuestfsError('EINVAL', `${name}: is not a LUKS device`);
    return probed.uuid;
  },
  filesystem_available: (_call, name) =>
    fileSystems.some(({ types, open }) => open !== undefined && types.includes(name)),
} satisfies TopicHandlers;
