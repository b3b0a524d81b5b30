/**
 * Atari's root sector: four entries, and in ICD's form eight more. It has no signature, so an entry in use must have
 * a known kind and lie on the disk; Linux asks for less.
 */
import { decodeLatin1 } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { PartitionCollector } from './collector.js';
import {
  atariEntriesOffset,
  atariEntry,
  atariEntryCount,
  atariIcdCount,
  atariIcdOffset,
  atariSizeOffset,
  labelSectorSize,
} from './layout.js';
import type { PartitionScheme } from './scheme.js';
import { readSectors } from './sectors.js';

const knownKinds = new Set(['GEM', 'BGM', 'LNX', 'SWP', 'RAW', 'XGM', 'MIX', 'UNX', 'F32', 'MAC', 'QWA']);
const icdKinds = new Set(['GEM', 'BGM', 'LNX', 'SWP', 'RAW']);
/** The kind of an entry that begins a chain of others. */
const extendedKind = 'XGM';

interface Entry {
  readonly inUse: boolean;
  readonly kind: string;
  readonly start: number;
  readonly size: number;
}

function readEntries(sector: Uint8Array, offset: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => {
    const { p_flg, p_id, p_st, p_siz } = atariEntry.decode(sector, offset + index * atariEntry.size);
    return { inUse: (p_flg & 1) !== 0, kind: decodeLatin1(p_id), start: p_st, size: p_siz };
  });
}

/** The sector, if an entry is in use and every entry in use is valid. */
function findRoot(disk: Disk): Uint8Array | undefined {
  const sector = readSectors(disk, 0);
  if (sector === undefined) return undefined;
  const sectors = Math.floor(disk.size / labelSectorSize);
  const claimed = new DataView(sector.buffer).getUint32(atariSizeOffset);
  if (claimed === 0 || claimed > sectors) return undefined;
  const used = readEntries(sector, atariEntriesOffset, atariEntryCount).filter(({ inUse }) => inUse);
  const isValid = ({ kind, start, size }: Entry) =>
    knownKinds.has(kind) && start > 0 && size > 0 && start + size <= claimed;
  return used.length > 0 && used.every(isValid) ? sector : undefined;
}

export const atari: PartitionScheme = {
  name: 'atari',

  probe: (disk) => findRoot(disk) !== undefined,

  open(disk) {
    const collector = new PartitionCollector(disk, labelSectorSize);
    const sector = findRoot(disk);
    if (sector !== undefined) {
      const entries = readEntries(sector, atariEntriesOffset, atariEntryCount);
      const chain = entries.findIndex(({ inUse, kind }) => inUse && kind === extendedKind);
      if (chain >= 0) collector.warnings.push('the partitions of an extended one (XGM) are not read');
      const icd = readEntries(sector, atariIcdOffset, atariIcdCount);
      const hasIcd = chain < 0 && icdKinds.has(icd[0]?.kind ?? '');
      // The numbers after a chain depend on its length.
      const read = chain >= 0 ? entries.slice(0, chain) : hasIcd ? [...entries, ...icd] : entries;
      for (const [index, { inUse, kind, start, size }] of read.entries()) {
        if (!inUse || (index >= atariEntryCount && !icdKinds.has(kind))) continue;
        collector.add(index + 1, start, size, { labelType: kind });
      }
    }
    return { scheme: 'atari', partitions: collector.inOrder, warnings: collector.warnings };
  },
};
