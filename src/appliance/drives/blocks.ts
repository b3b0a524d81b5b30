/**
 * Drives in the form of qemu's block layer: the arguments of QMP's `blockdev-add`, `device_add` and `object-add`.
 * Every value is a JSON value of its own. So no text of a caller can become a qemu option, and no secret stands on a
 * command line. Source: qemu's QAPI reference, BlockdevOptions.
 *
 * A drive is a stack of nodes: a protocol (a host file, a server), a format over it with its backing images,
 * optionally a layer that takes writes, optionally a layer that keeps what was read, and the SCSI disk that the guest
 * sees.
 */

import type { DriveConfig, DriveImage } from '../../api/index.js';
import { encodeText, GuestfsError, UnsupportedError } from '../../base/index.js';
import type { Json } from '../machine/qmp.js';
import { remoteNode } from './drive-protocols.js';

/** The most drives that fit: one SCSI target each, on one bus. For tests. */
export const mostTargets = 255;

/** The id of qemu's SCSI controller for drives. */
export const driveBus = 'scsi';

/** The commands for one drive, in this order. */
export interface DriveBlocks {
  /** `object-add`, before the nodes. */
  readonly secrets: readonly Json[];
  /** `blockdev-add`: the image and everything below it. */
  readonly image: Json;
  /** The name of that node. */
  readonly imageNode: string;
  /** `blockdev-add` of the layers over the image. If there is an overlay, its file must exist. */
  readonly layers: readonly Json[];
  /** The path of the overlay file that `layers` open, which must be made first, as large as the image. */
  readonly overlay: string | undefined;
  /** `device_add`. */
  readonly device: Json;
}

/** Formats of which one image can stand on another. */
const layered = new Set(['qcow2', 'qcow', 'qed', 'vmdk']);
/** Formats and protocols that pass on a discard. */
const discardFormats = new Set(['raw', 'qcow2']);
const discardProtocols = new Set(['file', 'gluster', 'iscsi', 'nbd', 'rbd']);

/** Questions to the host while the commands are made. */
export interface DriveSurroundings {
  /** Whether qemu may follow the file names in images whose format is unknown. */
  readonly followsNames: boolean;
  /** The absolute host path of one of our own files, by its name in the private directory. */
  ownFile(name: string): string;
  /** Whether a path of the host is a block device. */
  isBlockDevice(path: string): boolean;
}

/** A path as qemu's JSON can carry it. Throws GuestfsError (EILSEQ): JSON cannot hold bytes that are not Unicode. */
function jsonPath(path: string): string {
  if (Buffer.from(encodeText(path)).toString('utf8') !== path)
    throw new GuestfsError('EILSEQ', `${JSON.stringify(path)}: qemu cannot open a path that is not UTF-8`);
  return path;
}

interface FileOptions {
  readonly readonly: boolean;
  readonly cache: Json;
  readonly discard: 'ignore' | 'unmap';
}

/** The node of a host file. An image that is only read is not locked, since another program may be writing it. */
function fileNode(path: string, options: FileOptions, surroundings: DriveSurroundings): Json {
  return {
    driver: surroundings.isBlockDevice(path) ? 'host_device' : 'file',
    filename: jsonPath(path),
    'read-only': options.readonly,
    locking: options.readonly ? 'off' : 'auto',
    cache: options.cache,
    discard: options.discard,
  };
}

/**
 * An image with everything below it. Backing images that are known are named here. Throws UnsupportedError for a
 * difference of a format of which qemu has no differences, and would show zeroes where the parent has data.
 */
function imageNode(image: DriveImage, options: FileOptions, surroundings: DriveSurroundings): Json {
  if (image.backing !== undefined && !layered.has(image.format))
    throw new UnsupportedError(image.path, [`${image.format} images with a parent`]);
  const below = { ...options, readonly: true, discard: 'ignore' } as const;
  return {
    ...formatNode(image.format, options, surroundings),
    file: slicedNode(image, options, surroundings),
    ...(image.dataFile === undefined ? {} : { 'data-file': fileNode(image.dataFile, options, surroundings) }),
    ...(image.backing === undefined ? {} : { backing: imageNode(image.backing, below, surroundings) }),
  };
}

/** The node of an image's file, or of the part of it that is the image. */
function slicedNode(
  { path, slice }: DriveImage,
  options: FileOptions,
  surroundings: DriveSurroundings,
): Json {
  const file = fileNode(path, options, surroundings);
  if (slice === undefined) return file;
  return { driver: 'raw', offset: slice.offset, size: slice.size, 'read-only': options.readonly, file };
}

/** `backing: null` opens no backing image, whatever the header says. */
function formatNode(format: string, options: FileOptions, { followsNames }: DriveSurroundings): Json {
  return {
    driver: format,
    'read-only': options.readonly,
    cache: options.cache,
    discard: options.discard,
    ...(layered.has(format) && !followsNames ? { backing: null } : {}),
  };
}

/** The commands for drive number `index` (from 0). Throws GuestfsError: EINVAL, ENOTSUP, EILSEQ. */
export function driveBlocks(drive: DriveConfig, index: number, surroundings: DriveSurroundings): DriveBlocks {
  const name = `drive${index}`;
  const { readonly = false, copyonread = false } = drive;
  const cache = { direct: false, 'no-flush': drive.cachemode === 'unsafe' };
  const discard = checkDiscard(drive) ? 'unmap' : 'ignore';
  const options: FileOptions = { readonly, cache, discard };
  const secrets: Json[] = [];
  let image: Json;
  if (drive.scratchSizeInBytes !== undefined) {
    const path = surroundings.ownFile(name);
    image = imageNode({ path, format: 'raw' }, options, surroundings);
  } else if (drive.protocol === undefined || drive.protocol === 'file') {
    const found = drive.image ?? givenImage(drive);
    image = imageNode(found, options, surroundings);
  } else {
    if (drive.format === undefined)
      throw new GuestfsError(
        'EINVAL',
        `${drive.protocol} drive '${drive.path ?? ''}': its format must be given, since it is not on this host`,
      );
    const remote = remoteNode(drive, `${name}-secret`);
    if (remote.secret !== undefined) secrets.push(remote.secret);
    const file = { ...remote.node, 'read-only': readonly, cache, discard };
    image = { ...formatNode(drive.format, options, surroundings), file };
  }
  const node = `${name}-image`;
  const layers: Json[] = [];
  let top = node;
  if (drive.layer !== undefined) {
    top = `${name}-layer`;
    layers.push(layerNode(drive.layer, node, top));
  }
  const overlay = readonly || drive.layer !== undefined ? surroundings.ownFile(`${name}.qcow2`) : undefined;
  if (overlay !== undefined) {
    layers.push(overlayNode(overlay, top, `${name}-writes`));
    top = `${name}-writes`;
  }
  if (copyonread) {
    layers.push({ driver: 'copy-on-read', 'node-name': `${name}-reads`, file: top, discard });
    top = `${name}-reads`;
  }
  return {
    secrets,
    image: { 'node-name': node, ...image },
    imageNode: node,
    layers,
    overlay,
    device: driveDevice(drive, index, top),
  };
}

/** The layer that another backend wrote. It is only read, so that whoever wrote it can go on from there again. */
function layerNode(path: string, backing: string, name: string): Json {
  return {
    driver: 'qcow2',
    'node-name': name,
    'read-only': true,
    file: { driver: 'file', filename: jsonPath(path), 'read-only': true, locking: 'off' },
    backing,
  };
}

/** The layer over a node that takes writes. Its content need not survive a crash. */
export function overlayNode(path: string, backing: string, name: string): Json {
  const cache = { direct: false, 'no-flush': true };
  return {
    driver: 'qcow2',
    'node-name': name,
    file: { driver: 'file', filename: jsonPath(path), cache, discard: 'unmap' },
    backing,
    cache,
    discard: 'unmap',
    'lazy-refcounts': true,
  };
}

function givenImage({ path = '', format }: DriveConfig): DriveImage {
  if (format === undefined) throw new GuestfsError('EINVAL', `${path}: its format is not known`);
  return { path, format };
}

/** Whether discard is wanted. Throws GuestfsError (ENOTSUP) if it is required and impossible. */
function checkDiscard({
  discard,
  format,
  protocol = 'file',
  image,
  scratchSizeInBytes,
}: DriveConfig): boolean {
  if (discard === undefined || discard === 'disable') return false;
  const actual = scratchSizeInBytes === undefined ? (image?.format ?? format ?? 'raw') : 'raw';
  if (discardFormats.has(actual) && discardProtocols.has(protocol)) return true;
  if (discard === 'besteffort') return false;
  throw new GuestfsError(
    'ENOTSUP',
    `discard is not possible on a ${actual} image by the protocol ${protocol}`,
  );
}

/**
 * The disk that the guest sees. Its target number is its place in the order of `add_drive`, which is also the order
 * of the guest's names. If the host's disk is full, a write fails in the guest, and the machine keeps running.
 */
function driveDevice(drive: DriveConfig, index: number, node: string): Json {
  if (index >= mostTargets) throw new GuestfsError('EINVAL', `there are more than ${mostTargets} drives`);
  const { blocksize, label } = drive;
  return {
    driver: 'scsi-hd',
    id: `drive${index}`,
    bus: `${driveBus}.0`,
    channel: 0,
    'scsi-id': index,
    lun: 0,
    drive: node,
    werror: 'report',
    rerror: 'report',
    ...(label === undefined ? {} : { serial: label }),
    ...(blocksize === undefined ? {} : { logical_block_size: blocksize, physical_block_size: blocksize }),
  };
}
