/** Work on an image as a whole, not on the disk in it: checking and repairing its tables, and changing its size. */
import { GuestfsError, UnsupportedError } from '../base/index.js';
import type { Disk, GrowableDisk, Origin } from '../disk/index.js';
import type { ImageCheck } from '../formats/index.js';
import type { ImageFormat } from './format.js';
import { detectFormat, getFormat } from './formats.js';
import { openNamed } from './open.js';

interface MaintenanceOptions {
  /** By qemu's name; detected if not given. */
  readonly format?: string;
  readonly warn?: (message: string) => void;
}

/** Opens a file, has its format do something, and closes it. */
function withImage<T>(
  origin: Origin,
  { format, warn = () => {} }: MaintenanceOptions,
  writable: boolean,
  work: (format: ImageFormat, file: GrowableDisk) => T,
): T {
  const given = format === undefined ? undefined : getFormat(format);
  const file = origin.open({ writable, warn });
  try {
    return work(given ?? detectFormat(file), file);
  } finally {
    file.close();
  }
}

/** Nobody else could do it either. */
const unable = (format: ImageFormat, what: string): UnsupportedError =>
  new UnsupportedError(`${format.name} image`, [what], { elsewhere: 'nowhere' });

/**
 * Checks the tables of an image, and repairs them first where that is asked for: `leaks` gives lost space back, `all`
 * also puts right what makes the image unsafe. Opens no other file. ENOTSUP for a format without such tables.
 */
export function checkDiskImage(
  origin: Origin,
  options: MaintenanceOptions & {
    readonly repair?: 'leaks' | 'all' | undefined;
    /** Told how far the check is, in steps. */
    readonly progress?: (position: number, total: number) => void;
  } = {},
): ImageCheck {
  const { repair, progress } = options;
  return withImage(origin, options, repair !== undefined, (format, file) => {
    if (format.check === undefined) throw unable(format, 'checking the tables');
    if (repair !== undefined) {
      if (format.repair === undefined) throw unable(format, 'repairing the tables');
      format.repair(file, repair);
    }
    return format.check(file, progress);
  });
}

/**
 * Makes the disk in an image another size. EINVAL where it would become smaller without `shrink`; ENOTSUP for formats
 * whose size cannot be changed.
 */
export function resizeDiskImage(
  origin: Origin,
  size: (now: number) => number,
  options: MaintenanceOptions & { readonly shrink?: boolean } = {},
): { readonly before: number; readonly after: number } {
  const { shrink = false, warn = () => {} } = options;
  return withImage(origin, options, true, (format, file) => {
    if (format.resize === undefined || format.info === undefined) throw unable(format, 'changing the size');
    const before = format.info(file).virtualSizeInBytes;
    const after = size(before);
    if (after < before && !shrink)
      throw new GuestfsError(
        'EINVAL',
        `the disk has ${before} bytes, and what lies behind ${after} would be lost; shrinking has to be asked for`,
      );
    format.resize(file, after, {
      openNamed: (name, purpose, named): Disk =>
        openNamed(name, purpose, named, origin, { changes: true, warn }),
      warn,
    });
    return { before, after };
  });
}
