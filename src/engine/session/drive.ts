/** Opens a drive: from the caller's configuration to the disk that the guest would see. */
import type { DriveConfig } from '../../api/index.js';
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import {
  CachedDisk,
  type Disk,
  type ImagePolicy,
  MappedDisk,
  OverlayDisk,
  platform,
} from '../../disk/index.js';
import { type ImageInfo, openDiskImage } from '../../image/index.js';
import { isDiscardable } from '../host/layer-files.js';
import { restoreLayer } from './restored-layer.js';

/** A drive that is open. */
export interface OpenDrive {
  readonly disk: Disk;
  /** What is written and thrown away at the end; undefined if writes go to the image. */
  readonly layer: OverlayDisk | undefined;
  /** The image below the layer; undefined for a scratch drive. */
  readonly image: { readonly file: string; readonly format: string } | undefined;
  /** Undefined for a scratch drive. */
  readonly info: ImageInfo | undefined;
  readonly sectorSize: 512 | 4096;
  readonly label: string | undefined;
  readonly readonly: boolean;
  /** Why the engine cannot write to the image, though the drive was added for that. */
  readonly unwritable: UnsupportedError | undefined;
  /** Whether space that the guest gives back goes back to the host. */
  readonly discards: boolean;
}

/** What opening a drive needs to know. */
interface DriveContext {
  readonly policy: ImagePolicy;
  /** Where copy-on-write layers spill to. */
  readonly tmpdir: string;
  warn(message: string): void;
  /** Says what takes long while the drive is opened, and how far that is. */
  tell(message: string): void;
  progress(position: number, total: number): void;
}

/** Bytes of an image that are cached for the many small reads of metadata. */
const cacheBudget = 4 * 1024 * 1024;
/** Bytes of changes that a copy-on-write layer keeps in memory before it spills to a file. */
const overlayBudget = 32 * 1024 * 1024;

/** The same, with what another session has written to the drive. */
function layerOf({ layer }: DriveConfig, base: Disk, tmpdir: string): OverlayDisk {
  const over = discardableLayer(base, tmpdir);
  if (layer !== undefined) restoreLayer(layer, over);
  return over;
}

/** A copy-on-write layer that is gone when it is closed. */
export function discardableLayer(base: Disk, tmpdir: string): OverlayDisk {
  return new OverlayDisk(base, { directory: tmpdir, memoryBudget: overlayBudget });
}

/** A disk of zeroes that stores nothing. */
function blankDisk(size: number, sectorSize: number): Disk {
  return new MappedDisk(size, (offset) => ({ kind: 'hole', length: size - offset }), {
    name: 'scratch drive',
    sectorSize,
  });
}

/** Opens a drive. Features that the engine lacks are refused here, by name, rather than at the first read. */
export function openDrive(drive: DriveConfig, context: DriveContext): OpenDrive {
  const { label } = drive;
  const discards = drive.discard !== undefined && drive.discard !== 'disable';
  if (drive.path === undefined) {
    const sectorSize = drive.blocksize ?? 512;
    const size = drive.scratchSizeInBytes ?? 0;
    const layer = layerOf(drive, blankDisk(size, sectorSize), context.tmpdir);
    return {
      sectorSize,
      label,
      discards,
      disk: layer,
      layer,
      image: undefined,
      info: undefined,
      readonly: false,
      unwritable: undefined,
    };
  }
  if (drive.protocol !== undefined && drive.protocol !== 'file') {
    throw new UnsupportedError(`drive ${drive.path}`, [`protocol ${drive.protocol}`], {
      elsewhere: 'appliance',
    });
  }
  const origin = platform().origin(drive.path, context.policy);
  const { disk, info } = openDiskImage(origin, {
    warn: context.warn,
    unpack: { directory: context.tmpdir, tell: context.tell, progress: context.progress },
    writable: drive.readonly ? false : 'where possible',
    ...(drive.format === undefined ? {} : { format: drive.format }),
    ...(drive.member === undefined ? {} : { member: drive.member }),
  });
  const sectorSize = drive.blocksize ?? info.sectorSizeInBytes ?? 512;
  if (disk.size % sectorSize !== 0 && disk.size < sectorSize) {
    disk.close();
    throw new GuestfsError('EINVAL', `${drive.path}: smaller than one sector of ${sectorSize} bytes`);
  }
  const cached = new CachedDisk(disk, { budget: cacheBudget, sectorSize });
  const layer = isDiscardable(drive) ? layerOf(drive, cached, context.tmpdir) : undefined;
  return {
    sectorSize,
    label,
    discards,
    layer,
    image: { file: origin.name, format: info.format },
    info,
    readonly: drive.readonly,
    unwritable:
      drive.readonly || disk.writable
        ? undefined
        : new UnsupportedError(
            `drive ${drive.path}`,
            [
              `writing to ${info.containers === undefined ? `${info.format} images` : `what lies in a ${info.containers[0]} file`}`,
            ],
            { elsewhere: 'appliance' },
          ),
    disk: layer ?? cached,
  };
}
