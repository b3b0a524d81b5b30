/** Opens an image of Parallels': the header, and the table of clusters. */
import { CorruptError, readUpTo, UnsupportedError } from '../../base/index.js';
import { type Disk, MappedDisk } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { blocks, ImageBlocks } from '../image-blocks.js';
import { TableCache } from '../table-cache.js';
import { header, inUse, mostTracks, sectorSize, tableEntry } from './layout.js';
import { magic, version } from './probe.js';

const defaultBudget = 2 * 1024 * 1024;

const name = 'parallels';

interface Header {
  readonly byClusters: boolean;
  /** Of the guest's disk. */
  readonly sizeInBytes: number;
  readonly clusterSize: number;
  readonly entries: number;
  readonly open: boolean;
}

function readHeader(file: Disk): Header {
  const fields = header.decode(readUpTo(file, 0, header.size));
  const byClusters = fields.magic === magic.byClusters;
  if (!byClusters && fields.magic !== magic.bySectors) {
    throw new CorruptError('Parallels header', 'has no Parallels signature');
  }
  if (fields.version !== version)
    throw new UnsupportedError('Parallels image', [`version ${fields.version}`]);
  const { tracks, bat_entries: entries } = fields;
  if (tracks === 0 || tracks > mostTracks) {
    throw new CorruptError('Parallels header', 'has an impossible cluster size', { tracks });
  }
  return {
    byClusters,
    sizeInBytes: (byClusters ? fields.nb_sectors : fields.nb_sectors_low) * sectorSize,
    clusterSize: tracks * sectorSize,
    entries,
    open: fields.inuse === inUse,
  };
}

/** What the header says. */
export function readParallelsInfo(file: Disk): ImageInfo {
  const { byClusters, sizeInBytes, clusterSize, open } = readHeader(file);
  if (!Number.isSafeInteger(sizeInBytes)) {
    throw new CorruptError('Parallels header', 'has an impossible disk size', { sizeInBytes });
  }
  return {
    format: name,
    virtualSizeInBytes: sizeInBytes,
    facts: {
      'cluster-size': clusterSize,
      subformat: byClusters ? magic.byClusters : magic.bySectors,
      'dirty-flag': open,
    },
  };
}

/** The guest's disk. */
export function openParallels(file: Disk, context: ImageContext): Disk {
  const { byClusters, sizeInBytes, clusterSize, entries, open } = readHeader(file);
  if (open) context.warn('the Parallels image was not closed properly, or is in use');
  if (entries * clusterSize < sizeInBytes) {
    throw new CorruptError('Parallels header', 'has a table that is too small for the disk', { entries });
  }
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const tables = new TableCache(file, { name: 'Parallels table', mostInSlice: 16_384, budget });
  const { place: placeOf } = tableEntry.fields;
  const unit = byClusters ? clusterSize : sectorSize;
  const map = new ImageBlocks({
    sizeInBytes,
    blockSize: clusterSize,
    file,
    backing: undefined,
    zeroesPastEnd: true,
    placeOf(block) {
      const at = header.size + block * tableEntry.size;
      const inSlice = at % tables.sliceSize;
      const entry = placeOf.read(tables.slice(at - inSlice), inSlice, true);
      return entry === 0 ? blocks.absent : entry * unit;
    },
  });
  return new MappedDisk(sizeInBytes, map.lookup, {
    name: 'Parallels image',
    owns: [file],
    sectorSize: file.sectorSize,
  });
}
