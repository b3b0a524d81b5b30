/**
 * The header of a hosted sparse extent: of VMware's Workstation, Fusion and Player, of stream-optimized images, and of
 * nearly all that other programs write. Specification: Virtual Disk Format 5.0, "Hosted Sparse Extents".
 */
import {
  CorruptError,
  decodeLatin1,
  isPowerOfTwo,
  readUpTo,
  UnsupportedError,
  viewOf,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type Grains, hostedEntries } from './grains.js';
import {
  compression,
  endLineChars,
  gdAtEnd,
  hostedFlags,
  hostedHeader,
  hostedMagic,
  limits,
  marker,
  markerTypes,
  sectorSize,
} from './layout.js';

const structure = 'VMDK header';

/** What the header of a hosted sparse extent says. */
interface HostedHeader {
  /** 0 in a file that holds only a descriptor. */
  readonly sizeInBytes: number;
  readonly grainBytes: number;
  /** Bytes; a length of 0: none. */
  readonly descriptorOffset: number;
  readonly descriptorLength: number;
  readonly compressed: boolean;
  /** A transfer as text changed the file. */
  readonly mangled: boolean;
  readonly uncleanShutdown: boolean;
  readonly grains: Grains;
}

type Raw = ReturnType<typeof hostedHeader.decode>;

/** Bytes of a number of sectors, which is exact. */
function inBytes(sectors: number, what: string): number {
  const bytes = sectors * sectorSize;
  if (!Number.isSafeInteger(bytes))
    throw new CorruptError(structure, `has an impossible ${what}`, { sectors });
  return bytes;
}

/** Reads and checks the header; of a file that was written as a stream also the footer, which then counts. */
export function readHostedHeader(file: Disk): HostedHeader {
  const first = hostedHeader.decode(readUpTo(file, 0, hostedHeader.size));
  if (first.magicNumber !== hostedMagic) throw new CorruptError(structure, 'has no magic');
  const raw = first.gdOffset === gdAtEnd ? readFooter(file) : first;
  if (raw.version < 1 || raw.version > 3)
    throw new UnsupportedError('VMDK image', [`version ${raw.version}`]);
  if (raw.compressAlgorithm !== compression.none && raw.compressAlgorithm !== compression.deflate)
    throw new UnsupportedError('VMDK image', [`compression algorithm ${raw.compressAlgorithm}`]);
  const compressed = raw.compressAlgorithm === compression.deflate;
  const descriptor = {
    descriptorOffset: inBytes(first.descriptorOffset, 'place of the descriptor'),
    descriptorLength:
      first.descriptorOffset === 0 ? 0 : inBytes(first.descriptorSize, 'length of the descriptor'),
  };
  const sizeInBytes = inBytes(raw.capacity, 'capacity');
  return {
    sizeInBytes,
    grainBytes: raw.grainSize * sectorSize,
    ...descriptor,
    compressed,
    mangled:
      (first.flags & hostedFlags.validNewLineTest) !== 0 &&
      decodeLatin1(first.singleEndLineChar) !== endLineChars,
    uncleanShutdown: first.uncleanShutdown !== 0,
    grains: grainsOf(raw, sizeInBytes, compressed),
  };
}

/** The footer lies between its marker and the marker of the stream's end, which is the last sector of the file. */
function readFooter(file: Disk): Raw {
  const at = file.size - 3 * sectorSize;
  const bytes = at < 0 ? new Uint8Array(0) : readUpTo(file, at, 3 * sectorSize);
  const broken = (problem: string) =>
    new CorruptError('VMDK footer', problem, { offset: at, fileSize: file.size });
  if (bytes.length < 3 * sectorSize) throw broken('is missing: the file is cut short');
  const view = viewOf(bytes);
  const begin = marker.decode(view, 0);
  const end = marker.decode(view, 2 * sectorSize);
  if (begin.size !== 0 || begin.type !== markerTypes.footer)
    throw broken('is not at the end of the file, which is cut short or has more behind it');
  const footer = hostedHeader.decode(view, sectorSize);
  if (footer.magicNumber !== hostedMagic) throw broken('has no magic');
  if (end.val !== 0 || end.size !== 0 || end.type !== markerTypes.endOfStream)
    throw broken('has no end of the stream behind it');
  if (footer.gdOffset === gdAtEnd) throw broken('does not say where the grain directory is');
  return footer;
}

function grainsOf(raw: Raw, sizeInBytes: number, compressed: boolean): Grains {
  const { grainSize, numGTEsPerGT } = raw;
  const grainBytes = grainSize * sectorSize;
  if (sizeInBytes > 0) {
    if (!isPowerOfTwo(grainSize) || grainBytes > limits.grainBytes)
      throw new CorruptError(structure, 'has an impossible size of grains', { grainSize });
    if (compressed && grainBytes > limits.compressedGrainBytes)
      throw new UnsupportedError('VMDK image', [`compressed grains of ${grainBytes} bytes`]);
    if (numGTEsPerGT < 1 || numGTEsPerGT > limits.tableEntries)
      throw new CorruptError(structure, 'has an impossible size of grain tables', { numGTEsPerGT });
    if (raw.gdOffset > BigInt(Number.MAX_SAFE_INTEGER))
      throw new CorruptError(structure, 'has an impossible place of the grain directory', {
        gdOffset: raw.gdOffset,
      });
  }
  return {
    ...hostedEntries((raw.flags & hostedFlags.zeroedGrains) !== 0),
    sizeInBytes,
    grainBytes,
    entriesPerTable: numGTEsPerGT,
    directoryOffset: inBytes(Number(raw.gdOffset), 'place of the grain directory'),
    directoryEntries: Math.ceil(raw.capacity / (numGTEsPerGT * grainSize)),
    leastFileBytes: inBytes(raw.overHead, 'length of the metadata'),
    compression: !compressed ? 'none' : (raw.flags & hostedFlags.markers) !== 0 ? 'marked' : 'bare',
  };
}
