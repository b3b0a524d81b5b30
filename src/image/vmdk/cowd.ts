/**
 * The header of a COWD extent: of ESX (`vmfsSparse`) and of the oldest programs. Specification: Virtual Disk Format
 * 5.0, "ESX Server Sparse Extents".
 */
import { CorruptError, isPowerOfTwo, readUpTo, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type Grains, hostedEntries } from './grains.js';
import { cowdFlags, cowdHeader, cowdMagic, cowdTableEntries, limits, sectorSize } from './layout.js';

interface CowdHeader {
  readonly grains: Grains;
  /** The name of the image that a delta stands on; undefined for a root. */
  readonly parentFileName: string | undefined;
}

export function readCowdHeader(file: Disk): CowdHeader {
  const { name: structure } = cowdHeader;
  const raw = cowdHeader.decode(readUpTo(file, 0, cowdHeader.size));
  if (raw.magicNumber !== cowdMagic) throw new CorruptError(structure, 'has no magic');
  if (raw.version !== 1) throw new UnsupportedError('VMDK COWD extent', [`version ${raw.version}`]);
  if (!isPowerOfTwo(raw.grainSize) || raw.grainSize * sectorSize > limits.grainBytes)
    throw new CorruptError(structure, 'has an impossible size of grains', { grainSize: raw.grainSize });
  const needed = Math.ceil(raw.numSectors / (cowdTableEntries * raw.grainSize));
  if (raw.numGDEntries < needed)
    throw new CorruptError(structure, 'has a grain directory that is too small for the disk', {
      entries: raw.numGDEntries,
      needed,
    });
  return {
    grains: {
      ...hostedEntries(false),
      sizeInBytes: raw.numSectors * sectorSize,
      grainBytes: raw.grainSize * sectorSize,
      entriesPerTable: cowdTableEntries,
      directoryOffset: raw.gdOffset * sectorSize,
      directoryEntries: needed,
      leastFileBytes: 0,
      compression: 'none',
    },
    parentFileName: (raw.flags & cowdFlags.root) !== 0 ? undefined : raw.parentFileName || undefined,
  };
}
