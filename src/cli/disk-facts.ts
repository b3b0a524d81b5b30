/** What is on the drives of an image: partition tables, partitions, volumes. */
import type { Device } from '../api/index.js';
import { GuestfsError } from '../base/index.js';
import { bareMessage, type Guest } from './guest.js';
import { gptTypeName, mbrTypeName } from './partition-types.js';

export interface PartitionFacts {
  readonly device: string;
  readonly number: number;
  readonly startInBytes: number;
  readonly sizeInBytes: number;
  /** What it is for, by its table. */
  readonly purpose: string;
  /** GPT's GUID of the type, or the type byte of an MBR. */
  readonly type: string;
  /** GPT's. */
  readonly name: string | undefined;
  readonly uuid: string | undefined;
  readonly bootable: boolean;
  /** What is in it: a filesystem, `swap`, `LVM2_member`, …; empty where nothing is recognised. */
  readonly content: string;
  readonly label: string;
}

export interface DriveFacts {
  readonly device: string;
  readonly sizeInBytes: number;
  readonly sectorSizeInBytes: number;
  /** `gpt`, `msdos`; undefined where there is none. */
  readonly table: string | undefined;
  readonly partitions: readonly PartitionFacts[];
  /** What fills a drive without partitions. */
  readonly content: string;
  readonly label: string;
}

export interface VolumeFacts {
  readonly device: string;
  readonly sizeInBytes: number;
  readonly content: string;
  readonly label: string;
}

export interface DiskFacts {
  readonly drives: readonly DriveFacts[];
  readonly volumes: readonly VolumeFacts[];
}

/** A fact that is not there for every disk. */
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
): Promise<{ content: string; label: string }> {
  const content = (await ifAny(g.vfsType(device, controls))) ?? '';
  return { content, label: content === '' ? '' : ((await ifAny(g.vfsLabel(device, controls))) ?? '') };
}

async function describePartition(
  guest: Guest,
  drive: Device,
  device: Device,
  table: string,
): Promise<PartitionFacts | undefined> {
  const { g, controls } = guest;
  const number = await g.partToPartnum(device, controls);
  const entry = (await g.partList(drive, controls)).find(({ partNum }) => partNum === number);
  if (entry === undefined) return undefined;
  const isGpt = table === 'gpt';
  const type = isGpt
    ? await g.partGetGptType(drive, number, controls)
    : `0x${(await g.partGetMbrId(drive, number, controls)).toString(16).padStart(2, '0')}`;
  return {
    device,
    number,
    startInBytes: entry.partStart,
    sizeInBytes: entry.partSize,
    purpose: isGpt ? gptTypeName(type) : mbrTypeName(Number(type)),
    type,
    name: isGpt ? await g.partGetName(drive, number, controls) : undefined,
    uuid: isGpt ? await g.partGetGptGuid(drive, number, controls) : undefined,
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
  const table = found === 'loop' ? undefined : found;
  const facts = await Promise.all(own.map((device) => describePartition(guest, drive, device, table ?? '')));
  return {
    device: drive,
    sizeInBytes: await g.blockdevGetsize64(drive, controls),
    sectorSizeInBytes: await g.blockdevGetss(drive, controls),
    table,
    partitions: facts.filter((partition) => partition !== undefined),
    ...(own.length === 0 ? await contentOf(guest, drive) : { content: '', label: '' }),
  };
}

async function describeVolume(guest: Guest, device: Device): Promise<VolumeFacts> {
  const { g, controls } = guest;
  try {
    const sizeInBytes = await g.blockdevGetsize64(device, controls);
    return { device, sizeInBytes, ...(await contentOf(guest, device)) };
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    guest.invocation.note(`${device}: ${bareMessage(thrown)}`);
    return { device, sizeInBytes: 0, content: '', label: '' };
  }
}

export async function describeDisks(guest: Guest): Promise<DiskFacts> {
  const { g, controls } = guest;
  const partitions = await g.listPartitions(controls);
  const drives: DriveFacts[] = [];
  for (const drive of await g.listDevices(controls))
    drives.push(await describeDrive(guest, drive, partitions));
  const volumes: VolumeFacts[] = [];
  for (const volume of await g.lvs(controls)) volumes.push(await describeVolume(guest, volume));
  return { drives, volumes };
}
