/** Recognises NTFS by blkid's rules (util-linux, libblkid/src/superblocks/ntfs.c). */
import { readMaybe, trimBlanks, viewOf } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { decodeBoot } from './boot.js';
import {
  attributeAt as at,
  attributeTypes,
  bootSector,
  fileMagic,
  fileNumbers,
  fileRecord,
  residentHeaderSize,
} from './layout.js';

/** A name in UTF-16 up to a NUL, without blanks at its end. */
function label16(bytes: Uint8Array): string {
  const view = viewOf(bytes);
  let text = '';
  for (let offset = 0; offset + 2 <= bytes.length; offset += 2) {
    const unit = view.getUint16(offset, true);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return trimBlanks(text.replace(/[\ud800-\udfff]/gu, '\ufffd'));
}

/** The volume's name in its record. Fix-ups are not applied, since blkid does not: what they cover is not there. */
function volumeName(record: DataView): string {
  const used = Math.min(fileRecord.get(record, 0, 'bytes_in_use'), record.byteLength);
  for (let offset = fileRecord.get(record, 0, 'attrs_offset'); offset + residentHeaderSize <= used; ) {
    const type = record.getUint32(offset + at.type, true);
    const length = record.getUint32(offset + at.length, true);
    if (type === attributeTypes.end || length < residentHeaderSize) break;
    if (type === attributeTypes.volumeName) {
      const size = record.getUint32(offset + at.value_length, true);
      const start = offset + record.getUint16(offset + at.value_offset, true);
      if (start + size > used) return '';
      return label16(new Uint8Array(record.buffer, record.byteOffset + start, size));
    }
    offset += length;
  }
  return '';
}

export function probeNtfs(disk: Disk): Probed | undefined {
  const sector = readMaybe(disk, 0, bootSector.size);
  const boot = sector && decodeBoot(sector);
  if (boot === undefined || boot.problem !== undefined) return undefined;
  const { sectorSize, clusterSize, recordSize, mftCluster, serial } = boot.geometry;
  const start = mftCluster * clusterSize;
  const first = readMaybe(disk, start, recordSize);
  const record = readMaybe(disk, start + fileNumbers.volume * recordSize, recordSize);
  for (const bytes of [first, record]) {
    if (bytes === undefined || bytes.length < fileRecord.size) return undefined;
    if (fileRecord.get(viewOf(bytes), 0, 'magic') !== fileMagic) return undefined;
  }
  return {
    type: 'ntfs',
    label: record === undefined ? '' : volumeName(viewOf(record)),
    uuid: serial === 0n ? '' : serial.toString(16).toUpperCase().padStart(16, '0'),
    facts: { BLOCK_SIZE: String(sectorSize), USAGE: 'filesystem' },
  };
}
