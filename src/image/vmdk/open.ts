/** Opens a VMDK: the descriptor, the extents it names or lies in, and the parent of a delta. */
import { CorruptError, decodeLatin1, readUpTo, UnsupportedError } from '../../base/index.js';
import { type Disk, type Lookup, MappedDisk } from '../../disk/index.js';
import type { ImageContext, ImageInfo } from '../format.js';
import { startsWith } from '../signature.js';
import { readCowdHeader } from './cowd.js';
import { type Descriptor, readDescriptor, sizeOfExtents } from './descriptor.js';
import { joinExtents, openExtents } from './extents.js';
import { GrainMap, type Grains } from './grains.js';
import { readHostedHeader } from './hosted.js';
import { isDescriptor, marks } from './probe.js';

const defaultBudget = 2 * 1024 * 1024;

/** What an image's own file says. */
interface Header {
  readonly sizeInBytes: number;
  readonly descriptor: Descriptor;
  /** The tables of the file itself; undefined where the descriptor names the files of the disk. */
  readonly own: Grains | undefined;
  readonly createType: string | undefined;
  /** What is odd but no error. */
  readonly remarks: readonly string[];
}

/** What the header says. */
export function readVmdkInfo(file: Disk): ImageInfo {
  return infoOf(readHeader(file));
}

/** The guest's disk. */
export function openVmdk(file: Disk, context: ImageContext): Disk {
  const header = readHeader(file);
  const { descriptor, sizeInBytes } = header;
  for (const remark of header.remarks) context.warn(remark);
  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const owned: Disk[] = [];
  try {
    const backing = openParent(descriptor, context);
    if (backing !== undefined) owned.push(backing);
    return new MappedDisk(sizeInBytes, lookupOf(file, header, owned, { context, backing, budget }), {
      name: 'VMDK image',
      owns: [file, ...owned],
      sectorSize: file.sectorSize,
      keepBytes: budget,
    });
  } catch (thrown) {
    for (const disk of owned) disk.close();
    throw thrown;
  }
}

function lookupOf(
  file: Disk,
  { own, descriptor }: Header,
  owned: Disk[],
  { context, backing, budget }: { context: ImageContext; backing: Disk | undefined; budget: number },
): Lookup {
  if (own !== undefined) return new GrainMap(own, { file, name: '', start: 0, backing, budget }).lookup;
  return joinExtents(openExtents(descriptor.extents, owned, { context, backing, budget }));
}

/** Opens the image that this one stands on, if it is the one, in the state that it had. */
function openParent({ parentCid, parentFileName }: Descriptor, context: ImageContext): Disk | undefined {
  if (parentCid === undefined || parentFileName === undefined) return undefined;
  return context.openNamed(parentFileName, 'backing', 'vmdk', ({ identity }) => {
    if (identity === parentCid) return;
    throw new CorruptError(
      'VMDK image',
      `stands on a parent with the content id ${parentCid}, but ‘${parentFileName}’ has ${identity ?? 'none'}: it was changed, or is another one`,
    );
  });
}

function readHeader(file: Disk): Header {
  const head = readUpTo(file, 0, 4);
  if (startsWith(head, marks.hosted)) return hostedImage(file);
  if (startsWith(head, marks.cowd)) throw loneExtent(readCowdHeader(file).parentFileName);
  if (!isDescriptor(decodeLatin1(readUpTo(file, 0, 512))))
    throw new CorruptError('VMDK image', 'has neither the magic of an extent nor a descriptor');
  return described(file, 0, file.size);
}

/** An image that is only a descriptor. */
function described(file: Disk, offset: number, length: number): Header {
  const descriptor = readDescriptor(file, offset, length);
  const sizeInBytes = sizeOfExtents(descriptor);
  if (sizeInBytes === 0) throw new CorruptError('VMDK descriptor', 'names no extents');
  return { sizeInBytes, descriptor, own: undefined, createType: descriptor.createType, remarks: [] };
}

function hostedImage(file: Disk): Header {
  const header = readHostedHeader(file);
  const { descriptorOffset, descriptorLength, sizeInBytes } = header;
  if (sizeInBytes === 0 && descriptorLength > 0) return described(file, descriptorOffset, descriptorLength);
  if (descriptorLength === 0) throw loneExtent(undefined);
  const descriptor = readDescriptor(file, descriptorOffset, descriptorLength);
  // One of several extents has room for a descriptor, and none in it.
  if (descriptor.cid === undefined) throw loneExtent(undefined);
  const remarks: string[] = [];
  if (header.mangled)
    remarks.push('the VMDK was changed by a transfer as text: its contents are probably damaged');
  if (header.uncleanShutdown) remarks.push('the VMDK was not closed properly');
  return {
    sizeInBytes,
    descriptor,
    own: header.grains,
    createType: descriptor.createType ?? (header.compressed ? 'streamOptimized' : 'monolithicSparse'),
    remarks,
  };
}

/** The error for an extent that is opened without the descriptor, which alone says what the disk is. */
function loneExtent(parent: string | undefined): UnsupportedError {
  const on = parent === undefined ? '' : ` of a disk that stands on ‘${parent}’`;
  return new UnsupportedError('VMDK image', [
    `opening one extent${on} without its descriptor; open the .vmdk file that names it`,
  ]);
}

/** The facts of `qemu-img info`, under its names; content ids as the descriptor has them. */
function infoOf({ sizeInBytes, descriptor, own, createType }: Header): ImageInfo {
  const facts: Record<string, string | number | boolean> = {};
  if (createType !== undefined) facts['create-type'] = createType;
  if (own !== undefined) {
    facts['cluster-size'] = own.grainBytes;
    facts.compressed = own.compression !== 'none';
  }
  const { cid, parentCid, parentFileName, adapterType, hardwareVersion, extents } = descriptor;
  if (cid !== undefined) facts.cid = cid;
  if (parentCid !== undefined) facts['parent-cid'] = parentCid;
  if (adapterType !== undefined) facts['adapter-type'] = adapterType;
  if (hardwareVersion !== undefined) facts['hardware-version'] = hardwareVersion;
  const files = [...new Set(extents.map(({ fileName }) => fileName))].filter((name) => name !== '');
  return {
    format: 'vmdk',
    virtualSizeInBytes: sizeInBytes,
    ...(parentFileName === undefined ? {} : { backingFile: parentFileName, backingFormat: 'vmdk' }),
    ...(own === undefined ? { extentFiles: files } : {}),
    ...(cid === undefined ? {} : { identity: cid }),
    facts,
  };
}
