/** The filesystems of an image, with how full they are. */
import type { Device } from '../../api/index.js';
import { findWholeDrives } from '../../guestfs/index.js';
import type { Invocation } from '../command/invocation.js';
import type { Guest } from './guest.js';
import { activateHalfGroups } from './half-groups.js';
import { listUnreadable, type Problem, problemOf } from './unreadable.js';

/** How full a filesystem is, in bytes. */
export interface SpaceUsage {
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
  /** The size of the device; undefined for a subvolume, which has no size of its own. */
  readonly deviceSizeInBytes: number | undefined;
  /** Undefined for types that cannot be mounted, such as swap. */
  readonly usage: SpaceUsage | undefined;
  /** Why mounting failed; for an unknown type, why it is unknown. */
  readonly problem: Problem | undefined;
}

/** Types that are listed as filesystems but are never mounted. */
const neverMounted = new Set(['', 'swap', 'unknown']);

/** How full the filesystem mounted at a directory is. */
export async function usageAt({ g, controls }: Guest, directory: string): Promise<SpaceUsage> {
  const { frsize, blocks, bfree, bavail, files, ffree } = await g.statvfs(directory, controls);
  return {
    sizeInBytes: blocks * frsize,
    usedInBytes: (blocks - bfree) * frsize,
    availableInBytes: bavail * frsize,
    inodes: files,
    usedInodes: files - ffree,
  };
}

async function measure(guest: Guest, device: string): Promise<{ usage?: SpaceUsage; problem?: Problem }> {
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

/**
 * All filesystems of the image, one after the other, and drives that are a filesystem as a whole if their partitions
 * hold none. Nothing may be mounted before, and nothing is mounted afterwards.
 */
export async function describeFilesystems(guest: Guest): Promise<FilesystemFacts[]> {
  const { g, controls } = guest;
  const facts: FilesystemFacts[] = [];
  await activateHalfGroups(guest);
  const listed = await g.listFilesystems(controls);
  const unreadable = new Map((await listUnreadable(guest)).map((each) => [each.device, each]));
  const whole = await findWholeDrives(g, listed, controls);
  for (const [device, type] of whole)
    guest.invocation.note(
      `${device}: its partitions hold nothing that is known, but the whole disk is ${type}`,
    );
  for (const [device, type] of [...listed, ...whole]) {
    const isDevice = device.startsWith('/dev/');
    const { usage, problem } = neverMounted.has(type)
      ? { problem: unreadable.get(device) }
      : await measure(guest, device);
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
    problem: problem?.message ?? null,
  };
}

/** A message without the name of its subject in front, because the caller has printed that name. */
function withoutSubject(message: string, subject: string): string {
  return message.startsWith(`${subject}: `) ? message.slice(subject.length + 2) : message;
}

/**
 * Reports the filesystems that could not be mounted. For devices of unknown type the backend has reported the reason.
 */
export function noteProblems(invocation: Invocation, facts: readonly FilesystemFacts[]): void {
  for (const { device, type, problem } of facts)
    if (problem !== undefined && !neverMounted.has(type))
      invocation.note(`${device} cannot be mounted: ${withoutSubject(problem.message, device)}`);
}

/** `45%`: of the usable space, as df counts. */
export function percentUsed({ usedInBytes, availableInBytes }: SpaceUsage): string {
  const whole = usedInBytes + availableInBytes;
  return whole === 0 ? '-' : `${Math.ceil((usedInBytes * 100) / whole)}%`;
}

/** The devices of which something could not be read, and why. */
export function problemsOf(facts: readonly FilesystemFacts[]): (Problem & { readonly device: string })[] {
  return facts.flatMap(({ device, problem }) => (problem === undefined ? [] : [{ ...problem, device }]));
}
