/** The pieces of a VMDK's disk: where each lies, and the lookup that joins them. */
import { asGuestfsError, CorruptError, readUpTo } from '../../base/index.js';
import { type Disk, type Lookup, type Mapping, SliceDisk } from '../../disk/index.js';
import type { ImageContext } from '../format.js';
import { startsWith } from '../signature.js';
import { readCowdHeader } from './cowd.js';
import type { ExtentLine } from './descriptor.js';
import { GrainMap, type Grains } from './grains.js';
import { readHostedHeader } from './hosted.js';
import { sectorSize } from './layout.js';
import { marks } from './probe.js';
import { readSesparseHeader } from './sesparse.js';

/** A piece of the disk: the mappings of its own offsets, which may reach beyond its end. */
interface Extent {
  readonly sizeInBytes: number;
  readonly lookup: Lookup;
}

interface ExtentOptions {
  readonly context: Pick<ImageContext, 'openNamed'>;
  readonly backing: Disk | undefined;
  /** Bytes of tables that all extents together may keep. */
  readonly budget: number;
}

/** The tables of a sparse extent of a descriptor, of whichever kind its file is. */
function grainsOf(file: Disk, kind: ExtentLine['kind']): Grains {
  if (kind === 'sesparse') return readSesparseHeader(file);
  return startsWith(readUpTo(file, 0, 4), marks.cowd)
    ? readCowdHeader(file).grains
    : readHostedHeader(file).grains;
}

/** Where a flat extent's bytes are. */
function flatExtent(file: Disk, { sizeInBytes, offsetInBytes }: ExtentLine): Extent {
  const { size } = file;
  if (offsetInBytes + sizeInBytes > size)
    throw new CorruptError('VMDK flat extent', 'is shorter than the descriptor says', {
      fileSize: size,
      needed: offsetInBytes + sizeInBytes,
    });
  const disk = offsetInBytes === 0 ? file : new SliceDisk(file, offsetInBytes, sizeInBytes);
  return {
    sizeInBytes,
    lookup: (offset) => ({ kind: 'data', length: sizeInBytes - offset, disk, offset }),
  };
}

function sparseExtent(
  file: Disk,
  line: ExtentLine,
  options: { start: number; backing: Disk | undefined; budget: number },
): Extent {
  const grains = grainsOf(file, line.kind);
  if (grains.sizeInBytes < line.sizeInBytes)
    throw new CorruptError('VMDK sparse extent', 'is smaller than the descriptor says', {
      sectors: grains.sizeInBytes / sectorSize,
      needed: line.sizeInBytes / sectorSize,
    });
  const { lookup } = new GrainMap(grains, { file, name: ` of ${line.fileName}`, ...options });
  return { sizeInBytes: line.sizeInBytes, lookup };
}

/**
 * Opens the files of a descriptor's extents, in their order, and adds them to `owned`. Each file is opened once, though
 * several extents may lie in it. An error names the file.
 */
export function openExtents(
  lines: readonly ExtentLine[],
  owned: Disk[],
  { context, backing, budget }: ExtentOptions,
): Extent[] {
  const files = new Map<string, Disk>();
  let start = 0;
  return lines.map((line) => {
    const { kind, fileName, sizeInBytes } = line;
    const at = start;
    start += sizeInBytes;
    if (kind === 'zero')
      return { sizeInBytes, lookup: (offset) => ({ kind: 'hole', length: sizeInBytes - offset }) };
    let file = files.get(fileName);
    if (file === undefined) {
      file = context.openNamed(fileName, 'extent', 'raw');
      files.set(fileName, file);
      owned.push(file);
    }
    try {
      if (kind === 'flat') return flatExtent(file, line);
      return sparseExtent(file, line, { start: at, backing, budget: budget / lines.length });
    } catch (thrown) {
      throw asGuestfsError(thrown).within(`extent file ‘${fileName}’`);
    }
  });
}

/** The lookup of the disk that the extents make together. */
export function joinExtents(extents: readonly Extent[]): Lookup {
  const ends: number[] = [];
  let end = 0;
  for (const { sizeInBytes } of extents) {
    end += sizeInBytes;
    ends.push(end);
  }
  /** The extent of the last lookup: most are in the same one. */
  let last = 0;
  return (offset, wanted): Mapping => {
    if (offset >= startOf(last) && offset < endOf(last)) return within(last, offset, wanted);
    let low = 0;
    let high = extents.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (offset < endOf(middle)) high = middle;
      else low = middle + 1;
    }
    last = low;
    return within(low, offset, wanted);
  };

  function endOf(index: number): number {
    return ends[index] ?? 0;
  }

  function startOf(index: number): number {
    return index === 0 ? 0 : endOf(index - 1);
  }

  /** The mapping in one extent, cut at its end. */
  function within(index: number, offset: number, wanted: number): Mapping {
    const start = startOf(index);
    const left = endOf(index) - offset;
    const { lookup } = extents[index] as Extent; // safe: an index that ends has, as the disk's size is the last end
    const mapping = lookup(offset - start, Math.min(wanted, left));
    return mapping.length > left ? { ...mapping, length: left } : mapping;
  }
}
