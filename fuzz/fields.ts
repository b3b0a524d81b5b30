/** Where the headers of each format have their numbers: the drivers' own tables, laid over an input. */
import type { Endian, Fields, Struct } from '../src/base/index.js';
import * as hive from '../src/formats/hive/layout.js';
import { qcow2Layout as qcow2 } from '../src/formats/index.js';
import * as journal from '../src/formats/journal/layout.js';
import * as btrfs from '../src/fs/btrfs/layout.js';
import * as journalLayout from '../src/fs/ext/journal/layout.js';
import * as ext from '../src/fs/ext/layout.js';
import * as fat from '../src/fs/fat/layout.js';
import * as iso from '../src/fs/iso9660/layout.js';
import * as swap from '../src/fs/swap/layout.js';
import * as parallels from '../src/image/parallels/layout.js';
import * as qcow from '../src/image/qcow/layout.js';
import * as qed from '../src/image/qed/layout.js';
import * as vdi from '../src/image/vdi/layout.js';
import * as vhd from '../src/image/vhd/layout.js';
import * as vhdx from '../src/image/vhdx/layout.js';
import * as vmdk from '../src/image/vmdk/layout.js';
import * as partition from '../src/partition/layout.js';
import * as lvm from '../src/volume/lvm2/layout.js';
import type { FieldPlace } from './target.js';

/** The places of a structure at `base`. */
function placesOf(structure: Struct<Fields>, base: number, endian: Endian = 'little'): FieldPlace[] {
  return Object.values(structure.fields).map(({ at, length }) => ({
    at: base + at,
    length,
    little: endian === 'little',
  }));
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Most structures of one kind that are looked for in an image. */
const mostFound = 400;

/** Where a magic number is, at multiples of a step. */
function find(bytes: Uint8Array, step: number, magic: readonly number[]): number[] {
  const found: number[] = [];
  const first = Buffer.from(magic);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (
    let at = buffer.indexOf(first);
    at >= 0 && found.length < mostFound;
    at = buffer.indexOf(first, at + 1)
  )
    if (at % step === 0) found.push(at);
  return found;
}

/** The fields of an inode, each up to the next, and of at most 4 bytes. */
const inodeFields = Object.values(ext.inodeAt).map((at, index, all) => ({
  at,
  length: Math.min(4, (all[index + 1] ?? at + 4) - at),
}));

/** An extent tree's node with its first entries. */
function extentNode(at: number): FieldPlace[] {
  const entries = [1, 2, 3, 4].flatMap((index) => {
    const base = at + index * ext.extentEntrySize;
    return [
      { at: base + ext.extentAt.ee_block, length: 4, little: true },
      { at: base + ext.extentAt.ee_len, length: 2, little: true },
      { at: base + ext.extentAt.ee_start_hi, length: 2, little: true },
      { at: base + ext.extentAt.ee_start_lo, length: 4, little: true },
    ];
  });
  return [...placesOf(ext.extentHeader, at), ...entries];
}

/** The superblock, the first group descriptors and inodes, and what has a magic number of its own. */
export function extFields(bytes: Uint8Array): FieldPlace[] {
  if (bytes.length < 8192) return [];
  const view = viewOf(bytes);
  const blockSize = 1024 * 2 ** Math.min(6, view.getUint32(ext.superblockOffset + 0x18, true));
  const firstDescriptor = blockSize === 1024 ? 2048 : blockSize;
  const size = (view.getUint32(ext.superblockOffset + 0x60, true) & 0x80) !== 0 ? 64 : 32;
  const descriptors = [0, 1, 2, 3].flatMap((group) =>
    placesOf(ext.groupDescriptor, firstDescriptor + group * size),
  );
  const inodeTable = view.getUint32(firstDescriptor + 8, true) * blockSize;
  const inodeSize = view.getUint16(ext.superblockOffset + 0x58, true) || 128;
  const inodes = Array.from({ length: 40 }, (_, index) =>
    inodeFields.map(({ at, length }) => ({ at: inodeTable + index * inodeSize + at, length, little: true })),
  ).flat();
  const journal = find(bytes, 1024, [0xc0, 0x3b, 0x39, 0x98]).flatMap((at) => [
    ...placesOf(journalLayout.journalHeader, at, 'big'),
    ...placesOf(journalLayout.commitHeader, at, 'big'),
    ...placesOf(journalLayout.revokeHeader, at, 'big'),
  ]);
  return [
    ...placesOf(ext.superblock, ext.superblockOffset),
    ...descriptors,
    ...inodes,
    ...find(bytes, 4, [0x0a, 0xf3]).flatMap(extentNode),
    ...find(bytes, 4, [0, 0, 0x02, 0xea]).flatMap((at) => placesOf(ext.xattrHeader, at)),
    ...journal,
  ];
}

export function fatFields(): FieldPlace[] {
  return [
    ...placesOf(fat.bootSector, 0),
    ...placesOf(fat.extended16, 0),
    ...placesOf(fat.extended32, 0),
    ...placesOf(fat.fsInfo, 512),
  ];
}

/** The descriptors, the root's record in each, and the records and system use entries of the first directories. */
export function isoFields(bytes: Uint8Array): FieldPlace[] {
  const fields = [0, 1, 2].flatMap((index) => {
    const at = (iso.firstDescriptorSector + index) * iso.sectorSize;
    return [...placesOf(iso.volumeDescriptor, at), ...placesOf(iso.directoryRecord, at + 156)];
  });
  const firstData = (iso.firstDescriptorSector + 3) * iso.sectorSize;
  const records = (signature: string): number[] =>
    find(bytes, 1, [...Buffer.from(signature)]).filter((at) => at > firstData);
  const little = (at: number, length: number): FieldPlace => ({ at, length, little: true });
  return [
    ...fields,
    // A directory begins with `.`, whose record has 34 bytes at least.
    ...find(bytes, iso.sectorSize, [0x22, 0]).flatMap((at) => placesOf(iso.directoryRecord, at)),
    ...records('CE\x1c\x01').flatMap((at) => placesOf(iso.continuation, at)),
    ...records('PX').flatMap((at) => [little(at + 2, 1), ...placesOf(iso.posixAttributes, at)]),
    ...['NM', 'SL', 'TF', 'SP', 'ZF', 'CL', 'PL', 'RE'].flatMap((name) =>
      records(name).flatMap((at) => [little(at + 2, 1), little(at + 4, 1), little(at + 6, 1)]),
    ),
  ];
}

export function qcow2Fields(bytes: Uint8Array): FieldPlace[] {
  if (bytes.length < 112) return [];
  const view = viewOf(bytes);
  const snapshots = Number(view.getBigUint64(64) & 0xffff_ffffn);
  return [
    ...placesOf(qcow2.header, 0, 'big'),
    ...placesOf(qcow2.header3, 0, 'big'),
    ...placesOf(qcow2.extensionHeader, view.getUint32(100), 'big'),
    ...(snapshots === 0 ? [] : placesOf(qcow2.snapshotHeader, snapshots, 'big')),
  ];
}

/** The footer in both places, the header with its locators, and the first entries of the table. */
export function vhdFields(bytes: Uint8Array): FieldPlace[] {
  const headerAt = vhd.footer.size;
  const locators = Array.from({ length: vhd.parentLocators.count }, (_, index) =>
    placesOf(vhd.parentLocator, headerAt + vhd.parentLocators.at + index * vhd.parentLocator.size, 'big'),
  );
  return [
    ...placesOf(vhd.footer, 0, 'big'),
    ...placesOf(vhd.footer, Math.max(0, bytes.length - vhd.footer.size), 'big'),
    ...placesOf(vhd.header, headerAt, 'big'),
    ...locators.flat(),
    ...[0, 1, 2, 3].flatMap((index) =>
      placesOf(vhd.tableEntry, headerAt + vhd.header.size + index * 4, 'big'),
    ),
  ];
}

/** Headers, regions, items, and whatever of the log and of a parent's locator has a mark of its own. */
export function vhdxFields(bytes: Uint8Array): FieldPlace[] {
  const marks = (mark: string): number[] => find(bytes, 8, [...Buffer.from(mark)]);
  return [
    ...vhdx.headersAt.flatMap((at) => placesOf(vhdx.header, at)),
    ...vhdx.regionTablesAt.flatMap((at) => [
      ...placesOf(vhdx.regionTable, at),
      ...[0, 1].flatMap((i) =>
        placesOf(vhdx.regionEntry, at + vhdx.regionTable.size + i * vhdx.regionEntry.size),
      ),
    ]),
    ...marks('metadata').flatMap((at) => [
      ...placesOf(vhdx.metadataTable, at),
      ...[0, 1, 2, 3, 4, 5].flatMap((i) =>
        placesOf(vhdx.metadataEntry, at + vhdx.metadataTable.size + i * vhdx.metadataEntry.size),
      ),
    ]),
    ...marks('loge').flatMap((at) => placesOf(vhdx.logEntry, at)),
    ...[...marks('zero'), ...marks('desc')].flatMap((at) => placesOf(vhdx.logDescriptor, at)),
  ];
}

/** The headers of the other formats of images, each with the first entries of its table. */
export const vdiFields = (): FieldPlace[] => [...placesOf(vdi.header, 0), ...entriesOf(vdi.mapEntry, 512)];
export const parallelsFields = (): FieldPlace[] => [
  ...placesOf(parallels.header, 0),
  ...entriesOf(parallels.tableEntry, parallels.header.size),
];
export const qedFields = (): FieldPlace[] => placesOf(qed.header, 0);
export const qcowFields = (): FieldPlace[] => [
  ...placesOf(qcow.header, 0, 'big'),
  ...entriesOf(qcow.tableEntry, qcow.header.size, 'big'),
];

function entriesOf(entry: Struct<Fields>, at: number, endian: Endian = 'little'): FieldPlace[] {
  return [0, 1, 2, 3].flatMap((index) => placesOf(entry, at + index * entry.size, endian));
}

/** The header of an extent of whichever kind, the first entries behind it, and a footer with its markers. */
export function vmdkFields(bytes: Uint8Array): FieldPlace[] {
  const end = bytes.length - 3 * vmdk.sectorSize;
  return [
    ...placesOf(vmdk.hostedHeader, 0),
    ...placesOf(vmdk.cowdHeader, 0).filter(({ length }) => length <= 8),
    ...placesOf(vmdk.sesparseHeader, 0),
    ...placesOf(vmdk.sesparseVolatile, vmdk.sectorSize),
    ...[0, 1, 2, 3].map((index) => ({ at: 2 * vmdk.sectorSize + index * 8, length: 8, little: true })),
    ...placesOf(vmdk.marker, 128 * vmdk.sectorSize),
    ...(end < 0
      ? []
      : [...placesOf(vmdk.marker, end), ...placesOf(vmdk.hostedHeader, end + vmdk.sectorSize)]),
  ];
}

/** MBR entries, and both GPT headers with the first entries of each. */
export function partitionFields(bytes: Uint8Array): FieldPlace[] {
  const entries = [0, 1, 2, 3].flatMap((index) => placesOf(partition.mbrEntry, 446 + index * 16));
  const tables = [512, 4096, bytes.length - 512, bytes.length - 4096].flatMap((at) => [
    ...placesOf(partition.gptHeader, at),
    ...placesOf(partition.gptEntry, 2 * at),
  ]);
  return [...entries, ...tables];
}

/** The superblock, and of the blocks of trees, which name their filesystem, the headers and first items. */
export function btrfsFields(bytes: Uint8Array): FieldPlace[] {
  const [first] = btrfs.superblocksAt;
  const { at, length } = btrfs.superblock.fields.fsid;
  const blocks = find(bytes, 32, [...bytes.subarray(first + at, first + at + length)])
    .map((found) => found - btrfs.headerAt.fsid)
    .filter((block) => block > first && block % 4096 === 0);
  const number = (place: number, size: number): FieldPlace => ({ at: place, length: size, little: true });
  return [
    ...placesOf(btrfs.superblock, first).filter((place) => place.length <= 8),
    ...blocks.flatMap((block) => [
      number(block + btrfs.headerAt.bytenr, 8),
      number(block + btrfs.headerAt.generation, 8),
      number(block + btrfs.headerAt.nritems, 4),
      number(block + btrfs.headerAt.level, 1),
      ...[0, 1, 2, 3].flatMap((index) => {
        const item = block + btrfs.headerSize + index * btrfs.itemSize;
        return [
          number(item + btrfs.keyAt.objectid, 8),
          number(item + btrfs.keyAt.type, 1),
          number(item + btrfs.keyAt.offset, 8),
          number(item + btrfs.itemAt.offset, 4),
          number(item + btrfs.itemAt.size, 4),
        ];
      }),
    ]),
  ];
}

/** The label in its usual sector, and the headers of the first metadata area. */
export function lvmFields(): FieldPlace[] {
  return [
    ...placesOf(lvm.labelHeader, 512),
    ...placesOf(lvm.pvHeader, 544),
    ...placesOf(lvm.diskLocn, 584),
    ...placesOf(lvm.diskLocn, 616),
    ...placesOf(lvm.mdaHeader, 4096),
    ...placesOf(lvm.rawLocn, 4096 + lvm.rawLocnOffset),
    ...placesOf(lvm.rawLocn, 4096 + lvm.rawLocnOffset + lvm.rawLocn.size),
  ];
}

/** The header, the bins, and the cells that have an identifier, which stands behind the length of each. */
export function hiveFields(bytes: Uint8Array): FieldPlace[] {
  const structures = { nk: hive.nk, vk: hive.vk, db: hive.db };
  const cells = Object.entries(structures).flatMap(([id, structure]) =>
    find(bytes, 4, [...Buffer.from(id)]).flatMap((at) => placesOf(structure, at - hive.cellHead)),
  );
  const lists = [...hive.keyListEntries.keys()].flatMap((id) =>
    find(bytes, 4, [...Buffer.from(id)]).flatMap((at) => [
      ...placesOf(hive.keyList, at - hive.cellHead),
      { at: at + hive.keyList.size - hive.cellHead, length: 4, little: true },
    ]),
  );
  const bins = find(bytes, hive.blockLength, [...Buffer.from(hive.HBIN_MAGIC)]);
  return [
    ...placesOf(hive.header, 0),
    ...bins.flatMap((at) => placesOf(hive.hbin, at)),
    ...cells,
    ...lists,
  ].filter(({ at, length }) => at >= 0 && at + length <= bytes.length);
}

/** The header, and all objects from the first on. */
export function journalFields(bytes: Uint8Array): FieldPlace[] {
  const structures = {
    [journal.objectTypes.entry]: journal.entryObject,
    [journal.objectTypes.entryArray]: journal.entryArrayObject,
  };
  const { header_size: first } = journal.journalHeader.decode(bytes);
  const objects: FieldPlace[] = [];
  for (let at = first; at + journal.objectHeader.size <= bytes.length; ) {
    const { type, size } = journal.objectHeader.decode(bytes, at);
    const structure = structures[type as keyof typeof structures];
    objects.push(...placesOf(journal.objectHeader, at), ...(structure ? placesOf(structure, at) : []));
    if (size === 0) break;
    at += Math.ceil(size / journal.objectUnit) * journal.objectUnit;
  }
  return [...placesOf(journal.journalHeader, 0), ...objects];
}

export function swapFields(): FieldPlace[] {
  return placesOf(swap.swapHeaderLittle, 1024);
}
