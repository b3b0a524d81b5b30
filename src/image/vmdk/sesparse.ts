/**
 * The headers of a SESPARSE extent: ESX's snapshots of large disks, and of all since vSphere 6.5. VMware publishes no
 * specification; the rules are those of qemu's block/vmdk.c. Journals are not replayed: an image whose journal holds
 * something is refused.
 */
import { CorruptError, readUpTo, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type GrainEntries, type Grains, unallocated, zero } from './grains.js';
import {
  sectorSize,
  sesparseEntry,
  sesparseHeader,
  sesparseMagic,
  sesparseVersion,
  sesparseVolatile,
  sesparseVolatileMagic,
} from './layout.js';

const { kinds, kindShift, lowestMask, lowestShift, middleHighMask, tableHigh } = sesparseEntry;
const entrySize = 8;
const structure = 'VMDK SESPARSE header';

/** A place in bytes, of a number of sectors. */
function inBytes(sectors: number, what: string): number {
  const bytes = sectors * sectorSize;
  if (!Number.isSafeInteger(bytes))
    throw new CorruptError(structure, `has an impossible ${what}`, { sectors });
  return bytes;
}

export function readSesparseHeader(file: Disk): Grains {
  const raw = sesparseHeader.decode(readUpTo(file, 0, sesparseHeader.size));
  if (raw.magic !== sesparseMagic) throw new CorruptError(structure, 'has no magic');
  if (raw.version !== sesparseVersion)
    throw new UnsupportedError('VMDK SESPARSE extent', [`version 0x${raw.version.toString(16)}`]);
  if (raw.flags !== 0n)
    throw new UnsupportedError('VMDK SESPARSE extent', [`flags 0x${raw.flags.toString(16)}`]);
  // Others were never seen; qemu refuses them, too.
  if (raw.grain_size !== 8)
    throw new UnsupportedError('VMDK SESPARSE extent', [`grains of ${raw.grain_size} sectors`]);
  if (raw.grain_table_size !== 64)
    throw new UnsupportedError('VMDK SESPARSE extent', [`grain tables of ${raw.grain_table_size} sectors`]);
  const changing = sesparseVolatile.decode(
    readUpTo(
      file,
      inBytes(raw.volatile_header_offset, 'place of the volatile header'),
      sesparseVolatile.size,
    ),
  );
  if (changing.magic !== sesparseVolatileMagic)
    throw new CorruptError('VMDK SESPARSE volatile header', 'has no magic');
  if (changing.replay_journal !== 0n)
    throw new UnsupportedError('VMDK SESPARSE extent', ['a journal that must be replayed']);
  const grainBytes = raw.grain_size * sectorSize;
  const entriesPerTable = (raw.grain_table_size * sectorSize) / entrySize;
  const sizeInBytes = inBytes(raw.capacity, 'capacity');
  const directoryEntries = Math.ceil(sizeInBytes / (grainBytes * entriesPerTable));
  if (directoryEntries * entrySize > inBytes(raw.grain_dir_size, 'size of the grain directory'))
    throw new CorruptError(structure, 'has a grain directory that is too small for the disk', {
      needed: directoryEntries,
      sectors: raw.grain_dir_size,
    });
  return {
    ...entriesIn(
      inBytes(raw.grain_tables_offset, 'place of the grain tables'),
      raw.grain_table_size * sectorSize,
      inBytes(raw.grains_offset, 'place of the grains'),
      grainBytes,
    ),
    sizeInBytes,
    grainBytes,
    entriesPerTable,
    directoryOffset: inBytes(raw.grain_dir_offset, 'place of the grain directory'),
    directoryEntries,
    leastFileBytes: 0,
    compression: 'none',
  };
}

/** Entries of 64 bits that are numbers: of tables in the part of the file for tables, of grains in that for grains. */
function entriesIn(tablesAt: number, tableBytes: number, grainsAt: number, grainBytes: number): GrainEntries {
  return {
    entrySize,
    table(slice, at) {
      const low = slice.getUint32(at, true);
      const high = slice.getUint32(at + 4, true);
      if (high === 0 && low === 0) return 0;
      if (high !== tableHigh)
        throw new CorruptError('VMDK SESPARSE grain directory', 'has an impossible entry', { high, low });
      return tablesAt + low * tableBytes;
    },
    grain(slice, at) {
      const low = slice.getUint32(at, true);
      const high = slice.getUint32(at + 4, true);
      const kind = high >>> kindShift;
      if (kind === kinds.stored) {
        const number = ((high & middleHighMask) * 0x1_0000_0000 + low) * (lowestMask + 1);
        // Up to 60 bits: a place beyond 2^53 is rounded, and lies outside every file.
        return grainsAt + (number + ((high >>> lowestShift) & lowestMask)) * grainBytes;
      }
      if (kind === kinds.zero || kind === kinds.unmapped) return zero;
      if (kind !== kinds.unallocated || high !== 0 || low !== 0)
        throw new CorruptError('VMDK SESPARSE grain table', 'has an impossible entry', { high, low });
      return unallocated;
    },
  };
}
