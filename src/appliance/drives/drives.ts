/** Adds drives to a machine by QMP, before its processor starts or while it runs. */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BackendConfig, DriveConfig } from '../../api/index.js';
import { asGuestfsError, type ErrnoName, GuestfsError, hostError } from '../../base/index.js';
import { type ImagePiece, newQcow2 } from '../../formats/index.js';
import { readHead } from '../machine/kernel-image.js';
import { type Qmp, QmpError } from '../machine/qmp.js';
import { type DriveBlocks, type DriveSurroundings, driveBlocks } from './blocks.js';

/** How far the file names in images are trusted: see `BackendConfig`. */
type Policy = BackendConfig['policy'];

/** Where the drives' own files are made. */
function surroundingsIn(directory: string, policy: Policy): DriveSurroundings {
  return {
    followsNames: policy === 'trusted',
    ownFile: (name) => join(directory, name),
    isBlockDevice(path) {
      try {
        return statSync(path).isBlockDevice();
      } catch (thrown) {
        throw hostError(path, thrown);
      }
    },
  };
}

/** Creates a sparse file of our own. Throws GuestfsError with the path. */
function writeSparse(path: string, sizeInBytes: number, parts: Iterable<ImagePiece> = []): void {
  try {
    const fd = openSync(path, 'wx', 0o600);
    try {
      ftruncateSync(fd, sizeInBytes);
      for (const { offset, bytes } of parts) writeSync(fd, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(fd);
    }
  } catch (thrown) {
    const { code } = asGuestfsError(thrown);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw hostError(path, thrown);
    throw new GuestfsError(
      code,
      `there is no room for the appliance's temporary files in ${dirname(path)}; choose another directory for them with setTmpdir or LIBGUESTFS_TMPDIR`,
      { cause: thrown },
    );
  }
}

/**
 * Makes the file of the layer that takes what a guest writes to a disk that must not change. It is opened with its
 * base given beside it, so its header names none. Throws GuestfsError: the host's, or EFBIG beyond two pebibytes.
 */
export function makeOverlay(path: string, virtualSizeInBytes: number): void {
  const image = newQcow2({ virtualSizeInBytes, clusterSize: 65536, version: 3, allocated: false });
  writeSparse(path, image.lengthInBytes, image.pieces);
}

/** How people know a drive. */
function nameOf(drive: DriveConfig): string {
  if (drive.path === undefined || drive.scratchSizeInBytes !== undefined) return 'scratch drive';
  return drive.protocol === undefined ? drive.path : `${drive.protocol} drive '${drive.path}'`;
}

/** The system's error text at the end of qemu's messages. */
const endings: readonly (readonly [RegExp, ErrnoName])[] = [
  [/Permission denied$/, 'EACCES'],
  [/No such file or directory$/, 'ENOENT'],
  [/Is a directory$/, 'EISDIR'],
  [/Read-only file system$/, 'EROFS'],
  [/Operation not permitted$/, 'EPERM'],
  [/Connection refused$/, 'ECONNREFUSED'],
  [/No space left on device$/, 'ENOSPC'],
  [/Too many open files$/, 'EMFILE'],
  [/Failed to get (?:"write"|shared "write") lock/, 'EBUSY'],
];

/** Turns qemu's refusal of a drive into the error of that drive. */
function driveFailure(drive: DriveConfig, thrown: unknown): GuestfsError {
  if (!(thrown instanceof QmpError)) return asGuestfsError(thrown);
  const { description } = thrown;
  const what = nameOf(drive);
  if (/Unknown driver|Unknown protocol|does not accept value|Invalid parameter 'driver'/.test(description))
    return new GuestfsError(
      'ENOTSUP',
      `${what}: this qemu lacks a part that it needs (${description}); in Debian the package qemu-block-extra has more`,
      { cause: thrown },
    );
  const [, code = 'EIO'] = endings.find(([pattern]) => pattern.test(description)) ?? [];
  const remedy = code === 'EBUSY' ? '; another program has it open for writing' : '';
  return new GuestfsError(code, `${what}: qemu cannot open it: ${description}${remedy}`, { cause: thrown });
}

interface Attached {
  readonly drive: DriveConfig;
  readonly blocks: DriveBlocks;
}

/** What qemu says of a node's image. */
interface NodeImage {
  readonly 'virtual-size'?: number;
  readonly 'backing-filename'?: string;
}

/** The images of nodes, by node name. */
async function readNodes(qmp: Qmp): Promise<Map<string, NodeImage>> {
  const nodes = (await qmp.command('query-named-block-nodes', { flat: true })) as {
    'node-name'?: string;
    image?: NodeImage;
  }[];
  return new Map(nodes.map((node) => [node['node-name'] ?? '', node.image ?? {}]));
}

const refusal = (drive: DriveConfig, why: string): GuestfsError =>
  new GuestfsError(
    'EPERM',
    `${nameOf(drive)}: refused: ${why}; open the image with policy 'trusted' if it comes from someone you trust`,
  );

/**
 * A VMDK may be only a list of other files, which qemu opens by itself. Where the images of a drive are described, the
 * policy let these names through; else such a VMDK is refused. A VMDK that contains its data begins with a header that
 * has the size: `KDMV`, a version, flags, and 8 bytes of capacity, little endian; or with `COWD`.
 */
function checkVmdk(drive: DriveConfig, policy: Policy): void {
  const { path, protocol, format, image } = drive;
  if (image !== undefined || format !== 'vmdk' || policy === 'trusted') return;
  if (path === undefined || protocol !== undefined) throw refusal(drive, 'a VMDK may name other files');
  const head = readHead(path, 0, 20);
  const magic = head.toString('latin1', 0, 4);
  const holdsData =
    magic === 'COWD' || (magic === 'KDMV' && head.length === 20 && head.readBigUInt64LE(12) > 0n);
  if (!holdsData) throw refusal(drive, 'it is a VMDK that names other files');
}

/** If an unknown backing file was not opened, the guest would read zeroes in its place. */
function checkBacking(drive: DriveConfig, node: NodeImage | undefined, policy: Policy): void {
  const named = node?.['backing-filename'];
  if (named === undefined || policy === 'trusted' || drive.image?.backing !== undefined) return;
  throw refusal(drive, `it names the backing file '${named}'`);
}

/**
 * Adds drives in order. The first one has the number `first`, and our own files are made in `directory`. Rejects with
 * a GuestfsError that names the drive. A running guest sees the drives as hot-plugged disks.
 */
export async function attachDrives(
  qmp: Qmp,
  drives: readonly DriveConfig[],
  { directory, policy, first = 0 }: { directory: string; policy: Policy; first?: number },
): Promise<void> {
  const surroundings = surroundingsIn(directory, policy);
  const attached = drives.map((drive, index): Attached => {
    checkVmdk(drive, policy);
    if (drive.scratchSizeInBytes !== undefined)
      writeSparse(surroundings.ownFile(`drive${first + index}`), drive.scratchSizeInBytes);
    return { drive, blocks: driveBlocks(drive, first + index, surroundings) };
  });
  /** Sends one step for all drives at once. qemu runs commands in order, so no answer is awaited in between. */
  const step = (commands: (blocks: DriveBlocks) => readonly (readonly [string, DriveBlocks['image']])[]) =>
    Promise.all(
      attached.map(async ({ drive, blocks }) => {
        try {
          await Promise.all(
            commands(blocks).map(([name, args]) => qmp.command(name, args, { timeoutInMs: 0 })),
          );
        } catch (thrown) {
          throw driveFailure(drive, thrown);
        }
      }),
    );
  await step(({ secrets, image }) => [
    ...secrets.map((secret) => ['object-add', secret] as const),
    ['blockdev-add', image] as const,
  ]);
  const nodes = await readNodes(qmp);
  for (const { drive, blocks } of attached) {
    const node = nodes.get(blocks.imageNode);
    checkBacking(drive, node, policy);
    if (blocks.overlay !== undefined) makeOverlay(blocks.overlay, node?.['virtual-size'] ?? 0);
  }
  await step(({ layers, device }) => [
    ...layers.map((layer) => ['blockdev-add', layer] as const),
    ['device_add', device] as const,
  ]);
}
