/** Partition tables, read. */
import type { Structs } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import {
  findPartition,
  isBootable,
  listPartitions,
  type Partition,
  type PartitionTable,
} from '../../partition/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import { foundBy } from '../session/unreadable.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** The device of that name, which may have a partition table. */
export function partitionedDevice(call: Call, name: string): BlockDevice {
  const device = call.session.devices.resolve(name);
  if (device.kind === 'partition') throw new GuestfsError('EINVAL', `${name}: not a whole device`);
  return device;
}

/** The partition table of the device of that name. */
export function tableOf(call: Call, name: string): { device: BlockDevice; table: PartitionTable } {
  const { session } = call;
  const device = partitionedDevice(call, name);
  const table = session.tables.table(device);
  const fault = session.tables.fault(device);
  if (fault !== undefined) throw fault;
  if (table === undefined) throw new GuestfsError('EINVAL', `${name}: no partition table was found`);
  return { device, table };
}

function partitionOf(
  call: Call,
  name: string,
  number: number,
): { table: PartitionTable; partition: Partition } {
  const { table } = tableOf(call, name);
  if (number < 1) throw new GuestfsError('EINVAL', `${number}: partition numbers count from 1`);
  const partition = findPartition(table, number);
  if (partition === undefined) throw new GuestfsError('EINVAL', `${name} has no partition ${number}`);
  return { table, partition };
}

/** Types for which parted shows a drive as a single partition (its label `loop`). */
const bareTypes = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'ntfs', 'swap', 'jfs', 'reiserfs']);

/** A drive with a filesystem and no partition table, as one partition. */
function wholeAsPartition(call: Call, name: string): Structs['partition'] | undefined {
  const { session } = call;
  const device = session.devices.resolve(name);
  if (device.kind === 'partition' || session.tables.table(device) !== undefined) return undefined;
  if (!bareTypes.has(session.contents.probe(device)?.type ?? '')) return undefined;
  const { size } = device.disk;
  return { partNum: 1, partStart: 0, partEnd: size - 1, partSize: size };
}

/** A fact that only GPT partitions have. */
function gptFact<T>(
  call: Call,
  name: string,
  number: number,
  fact: (partition: Partition) => T | undefined,
): T {
  const { table, partition } = partitionOf(call, name, number);
  const value = fact(partition);
  if (table.scheme !== 'gpt' || value === undefined) {
    throw new GuestfsError('EINVAL', `${name}: has no GPT partition table, but ${table.scheme}`);
  }
  return value;
}

export const partitionHandlers = {
  part_list(call, name) {
    const whole = wholeAsPartition(call, name);
    return whole ? [whole] : listPartitions(tableOf(call, name).table);
  },
  part_get_parttype: (call, name) => tableOf(call, name).table.scheme,
  part_get_bootable: (call, name, number) => isBootable(partitionOf(call, name, number).partition),
  part_get_mbr_id(call, name, number) {
    const { table, partition } = partitionOf(call, name, number);
    if (partition.mbrId === undefined) {
      throw new GuestfsError('EINVAL', `${name}: has no MBR partition table, but ${table.scheme}`);
    }
    return partition.mbrId;
  },
  part_get_mbr_part_type: (call, name, number) => partitionOf(call, name, number).partition.kind,
  part_get_gpt_type: (call, name, number) => gptFact(call, name, number, ({ gptType }) => gptType),
  part_get_gpt_guid: (call, name, number) => gptFact(call, name, number, ({ gptGuid }) => gptGuid),
  part_get_gpt_attributes: (call, name, number) =>
    gptFact(call, name, number, ({ attributes }) => attributes),
  part_get_name: (call, name, number) => gptFact(call, name, number, (partition) => partition.name),
  part_get_disk_guid(call, name) {
    const { table } = tableOf(call, name);
    if (table.diskGuid === undefined) throw new GuestfsError('EINVAL', `${name}: has no GPT partition table`);
    return table.diskGuid;
  },
  findfs_partuuid(call, uuid) {
    return foundBy(call.session, 'partuuid', uuid, `no partition has the UUID ${uuid}`);
  },
  findfs_partlabel(call, label) {
    return foundBy(call.session, 'partlabel', label, `no partition has the label ${label}`);
  },
} satisfies TopicHandlers;
