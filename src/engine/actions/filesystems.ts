/** What filesystems there are, by their signatures. */
import { GuestfsError, systemError, UnsupportedError } from '../../base/index.js';
import { fileSystems, type Probed } from '../../fs/index.js';
import { partitionEntryFacts, tableFacts } from '../../partition/index.js';
import type { Device } from '../../vfs/index.js';
import type { Call } from '../call.js';
import { listFileSystems } from '../filesystem-list.js';
import type { TopicHandlers } from '../handlers.js';

/** What is on a mountable; undefined for nothing known. */
function probe(call: Call, mountable: string): Probed | undefined {
  const { device, subvolume } = call.session.devices.parseMountable(mountable);
  if (subvolume !== undefined)
    throw new UnsupportedError(mountable, ['btrfs subvolumes (the direct backend has them)']);
  return call.session.probe(device);
}

function found(device: Device | undefined, what: string): string {
  if (device === undefined) throw systemError('ENOENT', `no filesystem has the ${what}`);
  return device.name;
}

export const filesystemHandlers = {
  vfs_type: (call, mountable) => probe(call, mountable)?.type ?? '',
  vfs_label: (call, mountable) => probe(call, mountable)?.label ?? '',
  vfs_uuid: (call, mountable) => probe(call, mountable)?.uuid ?? '',
  get_e2label(call, name) {
    return extFact(call, name, 'label');
  },
  get_e2uuid(call, name) {
    return extFact(call, name, 'uuid');
  },
  findfs_label: (call, label) => found(call.session.findByProperty('label', label), `label ${label}`),
  findfs_uuid: (call, uuid) => found(call.session.findByProperty('uuid', uuid), `UUID ${uuid}`),
  list_filesystems: listFileSystems,
  /** By the names of the program blkid: what is on the device, then what the device is. */
  blkid(call, name) {
    const { session } = call;
    const device = session.devices.resolve(name);
    const probed = session.probe(device);
    const table = session.table(device);
    const partition = session.partition(device);
    const facts = new Map<string, string>();
    const add = (more: Iterable<readonly [string, string]>): void => {
      for (const [fact, value] of more) if (value !== '') facts.set(fact, value);
    };
    if (probed)
      add([
        ['TYPE', probed.type],
        ['LABEL', probed.label],
        ['UUID', probed.uuid],
        ...Object.entries(probed.facts),
      ]);
    if (table && !probed) add(tableFacts(table));
    const parentTable = device.parent && session.table(device.parent);
    if (partition && parentTable) add(partitionEntryFacts(parentTable, partition));
    return facts;
  },
  luks_uuid(call, name) {
    const probed = call.session.probe(call.session.devices.resolve(name));
    if (probed?.type !== 'crypto_LUKS') throw new GuestfsError('EINVAL', `${name}: is not a LUKS device`);
    return probed.uuid;
  },
  filesystem_available: (_call, name) =>
    fileSystems.some(({ types, open }) => open !== undefined && types.includes(name)),
} satisfies TopicHandlers;

function extFact(call: Call, name: string, fact: 'label' | 'uuid'): string {
  const probed = call.session.probe(call.session.devices.resolve(name));
  if (probed === undefined || !/^ext[234]$/.test(probed.type)) {
    throw new GuestfsError('EINVAL', `${name}: not an ext2, ext3 or ext4 filesystem`);
  }
  return probed[fact];
}
