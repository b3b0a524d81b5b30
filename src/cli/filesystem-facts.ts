/** The filesystems of an image, with how full they are. */
import type { Device } from '../api/index.js';
import { GuestfsError } from '../base/index.js';
import { bareMessage, type Guest } from './guest.js';

/** How full a filesystem is, in bytes. */
export interface Usage {
  readonly sizeInBytes: number;
  readonly usedInBytes: number;
  /** To those who are not root. */
  readonly availableInBytes: number;
  readonly inodes: number;
  readonly usedInodes: number;
}

export interface FilesystemFacts {
  /** A device, or a subvolume. */
  readonly device: string;
  readonly type: string;
  readonly label: string;
  readonly uuid: string;
  /** Of the device; undefined for a subvolume, which has no size of its own. */
  readonly deviceSizeInBytes: number | undefined;
  /** undefined for what cannot be mounted, such as swap. */
  readonly usage: Usage | undefined;
  /** Why it could not be mounted, though it is a filesystem. */
  readonly problem: string | undefined;
}

/** What is listed as a filesystem but never mounted. */
const neverMounted = new Set(['', 'swap', 'unknown']);

/** How full the filesystem mounted at a directory is. */
export async function usageAt({ g, controls }: Guest, directory: string): Promise<Usage> {
  const { frsize, blocks, bfree, bavail, files, ffree } = await g.statvfs(directory, controls);
  return {
    sizeInBytes: blocks * frsize,
    usedInBytes: (blocks - bfree) * frsize,
    availableInBytes: bavail * frsize,
    inodes: files,
    usedInodes: files - ffree,
  };
}

/** What is wrong with this one filesystem; anything else, such as a cancelled call, is thrown on. */
function problemOf(thrown: unknown): string {
  if (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED') return bareMessage(thrown);
  throw thrown;
}

async function measure(guest: Guest, device: string): Promise<{ usage?: Usage; problem?: string }> {
  const { g, controls } = guest;
  try {
    await g.mountRo(device, '/', controls);
  } catch (thrown) {
    return { problem: problemOf(thrown) };
  }
  try {
    return { usage: await usageAt(guest, '/') };
  } catch (thrown) {
    return { problem: problemOf(thrown) };
  } finally {
    await g.umountAll();
  }
}

/** A fact that a damaged or unknown filesystem may not have. */
async function orEmpty(fact: Promise<string>): Promise<string> {
  try {
    return await fact;
  } catch (thrown) {
    problemOf(thrown);
    return '';
  }
}

/** All filesystems of the image, one after the other. Nothing may be mounted, and nothing is afterwards. */
export async function describeFilesystems(guest: Guest): Promise<FilesystemFacts[]> {
  const { g, controls } = guest;
  const facts: FilesystemFacts[] = [];
  for (const [device, type] of await g.listFilesystems(controls)) {
    const isDevice = device.startsWith('/dev/');
    const { usage, problem } = neverMounted.has(type) ? {} : await measure(guest, device);
    facts.push({
      device,
      type,
      label: await orEmpty(g.vfsLabel(device, controls)),
      uuid: await orEmpty(g.vfsUuid(device, controls)),
      deviceSizeInBytes: isDevice
        ? await g.blockdevGetsize64(device as Device, controls) // safe: it begins as devices do
        : undefined,
      usage,
      problem,
    });
  }
  return facts;
}

/** A filesystem as JSON has it: sizes in bytes, null for what is not known. */
export function filesystemJson({
  device,
  type,
  label,
  uuid,
  deviceSizeInBytes,
  usage,
  problem,
}: FilesystemFacts) {
  return {
    device,
    type,
    label: label === '' ? null : label,
    uuid: uuid === '' ? null : uuid,
    deviceSizeInBytes: deviceSizeInBytes ?? null,
    sizeInBytes: usage?.sizeInBytes ?? null,
    usedInBytes: usage?.usedInBytes ?? null,
    availableInBytes: usage?.availableInBytes ?? null,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** `45%`: of what can be used, as df counts. */
export function percentUsed({ usedInBytes, availableInBytes }: Usage): string {
  const whole = usedInBytes + availableInBytes;
  return whole === 0 ? '-' : `${Math.ceil((usedInBytes * 100) / whole)}%`;
}
