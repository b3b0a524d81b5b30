/** What is on the drives of an image: partition tables, partitions, volumes. */
import type { Device, Unreadable } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Guest } from './guest.js';
import { activateHalfGroups } from './half-groups.js';
import { gptTypeName, mbrTypeName } from './partition-types.js';
import { attempt, listUnreadable } from './unreadable.js';

export interface PartitionFacts {
  readonly device: string;
  readonly number: number;
  readonly startInBytes: number;
  readonly sizeInBytes: number;
  /** What it is for, by its table. */
  readonly purpose: string;
  /** GPT's GUID of the type, or the type byte of an MBR. */
  readonly type: string;
  /** GPT's; null for other tables, and where there is none. */
  readonly name: string | null;
  readonly uuid: string | null;
  readonly bootable: boolean;
  /** The content: a filesystem, `swap`, `LVM2_member`, …; null if nothing is recognised. */
  readonly content: string | null;
  readonly label: string | null;
}

export interface DriveFacts {
  readonly device: string;
  readonly sizeInBytes: number;
  readonly sectorSizeInBytes: number;
  /** `gpt`, `msdos`; null where there is none, or it cannot be read. */
  readonly table: string | null;
  readonly partitions: readonly PartitionFacts[];
  /** The content of a drive without partitions, or whose partitions hold nothing known. */
  readonly content: string | null;
  readonly label: string | null;
}

interface VolumeFacts {
  readonly device: string;
  readonly sizeInBytes: number;
  readonly content: string | null;
  readonly label: string | null;
}

export interface DiskFacts {
  readonly drives: readonly DriveFacts[];
  readonly volumes: readonly VolumeFacts[];
  /** What is missing from these, and why. */
  readonly unreadable: readonly Unreadable[];
}

/** A fact that some disks lack. */
async function ifAny<T>(fact: Promise<T>): Promise<T | undefined> {
  try {
    return await fact;
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED') return undefined;
    throw thrown;
  }
}

async function contentOf(
  { g, controls }: Guest,
  device: Device,
): Promise<{ content: string | null; label: string | null }> {
  const content = (await ifAny(g.vfsType(device, controls))) || null;
  return { content, label: content === null ? null : (await ifAny(g.vfsLabel(device, controls))) || null };
}

/**
 * The type from the table, and its purpose. For tables other than GPT and MBR, the type is what blkid reports, which
 * may be nothing.
 */
async function typeOfPartition(
  { g, controls }: Guest,
  drive: Device,
  device: Device,
  number: number,
  table: string,
): Promise<{ type: string; purpose: string }> {
  if (table === 'gpt') {
    const type = await g.partGetGptType(drive, number, controls);
    return { type, purpose: gptTypeName(type) };
  }
  const id = table === 'msdos' ? await ifAny(g.partGetMbrId(drive, number, controls)) : undefined;
  if (id !== undefined) return { type: `0x${id.toString(16).padStart(2, '0')}`, purpose: mbrTypeName(id) };
  const type = (await g.blkid(device, controls)).get('PART_ENTRY_TYPE') ?? '';
  return { type, purpose: type };
}

/**
 * The place of a partition that parted does not list, such as a part of a BSD slice. blkid reports it in sectors of
 * 512 bytes.
 */
async function unlistedEntry(
  { g, controls }: Guest,
  device: Device,
): Promise<{ partStart: number; partSize: number } | undefined> {
  const facts = await g.blkid(device, controls);
  const [start, size] = [facts.get('PART_ENTRY_OFFSET'), facts.get('PART_ENTRY_SIZE')];
  if (start === undefined || size === undefined) return undefined;
  return { partStart: Number(start) * 512, partSize: Number(size) * 512 };
}

async function describePartition(
  guest: Guest,
  drive: Device,
  device: Device,
  table: string,
): Promise<PartitionFacts | undefined> {
  const { g, controls } = guest;
  const number = await g.partToPartnum(device, controls);
  const entry =
    (await g.partList(drive, controls)).find(({ partNum }) => partNum === number) ??
    (await unlistedEntry(guest, device));
  if (entry === undefined) return undefined;
  const isGpt = table === 'gpt';
  return {
    device,
    number,
    startInBytes: entry.partStart,
    sizeInBytes: entry.partSize,
    ...(await typeOfPartition(guest, drive, device, number, table)),
    name: isGpt ? (await g.partGetName(drive, number, controls)) || null : null,
    uuid: isGpt ? await g.partGetGptGuid(drive, number, controls) : null,
    bootable: await g.partGetBootable(drive, number, controls),
    ...(await contentOf(guest, device)),
  };
}

async function describeDrive(
  guest: Guest,
  drive: Device,
  partitions: readonly Device[],
): Promise<DriveFacts> {
  const { g, controls } = guest;
  const own: Device[] = [];
  for (const partition of partitions)
    if ((await g.partToDev(partition, controls)) === drive) own.push(partition);
  const found = await ifAny(g.partGetParttype(drive, controls));
  const table = found === undefined || found === 'loop' ? null : found;
  const described: (PartitionFacts | undefined)[] = [];
  for (const device of own) described.push(await describePartition(guest, drive, device, table ?? ''));
  const partitionFacts = described.filter((partition) => partition !== undefined);
  const isWhole = partitionFacts.every(({ content }) => content === null);
  return {
    device: drive,
    sizeInBytes: await g.blockdevGetsize64(drive, controls),
    sectorSizeInBytes: await g.blockdevGetss(drive, controls),
    table,
    partitions: partitionFacts,
    ...(isWhole ? await contentOf(guest, drive) : { content: null, label: null }),
  };
}

async function describeVolume(guest: Guest, device: Device): Promise<VolumeFacts> {
  const { g, controls } = guest;
  try {
    const sizeInBytes = await g.blockdevGetsize64(device, controls);
    return { device, sizeInBytes, ...(await contentOf(guest, device)) };
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    guest.invocation.note(`${device}: ${thrown.bareMessage}`);
    return { device, sizeInBytes: 0, content: null, label: null };
  }
}

export async function describeDisks(guest: Guest): Promise<DiskFacts> {
  const { g, controls } = guest;
  const unreadable = await listUnreadable(guest);
  /** A list that the backend refuses to give if it would be empty only because something cannot be read. */
  const listed = async <T>(list: Promise<T[]>): Promise<T[]> => {
    const { value, failure } = await attempt(list);
    if (failure !== undefined && unreadable.length === 0) throw failure;
    return value ?? [];
  };
  const partitions = await listed(g.listPartitions(controls));
  const drives: DriveFacts[] = [];
  for (const drive of await g.listDevices(controls))
    drives.push(await describeDrive(guest, drive, partitions));
  const volumes: VolumeFacts[] = [];
  await activateHalfGroups(guest);
  for (const volume of await listed(g.lvs(controls))) volumes.push(await describeVolume(guest, volume));
  return { drives, volumes, unreadable };
}
