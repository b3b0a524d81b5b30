/** Recognises ISO 9660 and finds its label and UUID. The rules are those of blkid (util-linux 2.38, `iso9660`). */
import { decodeLatin1, trimBlanks } from '../../base/index.js';
import { type Disk, type Probed, plainDisk } from '../../disk/index.js';
import { isHighSierra, jolietLevel, type VolumeDescriptor } from './descriptors.js';
import { mergeField, trimField } from './labels.js';
import {
  descriptorBoot,
  descriptorEnd,
  descriptorPrimary,
  descriptorSupplementary,
  firstDescriptorSector,
  sectorSize,
  volumeDescriptor,
} from './layout.js';

const standardId = 'CD001';
/** Descriptors that blkid looks at. */
const maxProbed = 16;

/** Facts by blkid's names, with their fields. In the last three, a leading `_` means the name of a file instead. */
const identifiers = [
  ['SYSTEM_ID', 'system_id', false],
  ['VOLUME_SET_ID', 'volume_set_id', false],
  ['PUBLISHER_ID', 'publisher_id', true],
  ['DATA_PREPARER_ID', 'data_preparer_id', true],
  ['APPLICATION_ID', 'application_id', true],
] as const;

/** Whether a 17-byte date says that it is not given. */
function isNoDate(raw: Uint8Array): boolean {
  return raw[16] === 0 && /^0+$/.test(decodeLatin1(raw.subarray(0, 16)));
}

/** A 17-byte date as blkid's UUID, `2026-11-02-12-00-00-00`; empty where it is not given. */
function dateUuid(raw: Uint8Array): string {
  const digits = decodeLatin1(raw.subarray(0, 16));
  if (isNoDate(raw) || /^\0+$/.test(digits)) return '';
  const parts = [digits.slice(0, 4)];
  for (let at = 4; at < 16; at += 2) parts.push(digits.slice(at, at + 2));
  const text = parts.join('-');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function identifier(
  primary: VolumeDescriptor,
  joliet: VolumeDescriptor | undefined,
  field: (typeof identifiers)[number][1],
  mayNameFile: boolean,
): string {
  const plain = trimField(primary[field]).trimStart();
  if (joliet === undefined) return mayNameFile && plain.startsWith('_') ? '' : plain;
  const merged = trimBlanks(mergeField(primary[field], joliet[field])).trimStart();
  if (!mayNameFile) return merged;
  if (merged !== '' && !merged.startsWith('_')) return merged;
  return plain.startsWith('_') ? '' : plain;
}

/** The descriptors that blkid reads; the first one's type decides their kind. */
function* descriptorsOf(disk: Disk, sessionSector: number): Generator<Uint8Array> {
  for (let i = 0; i < maxProbed; i++) {
    const offset = (sessionSector + firstDescriptorSector + i) * sectorSize;
    if (offset + sectorSize > disk.size) return;
    const raw = new Uint8Array(sectorSize);
    disk.read(raw, offset);
    if (i === 0 && decodeLatin1(raw.subarray(1, 6)) !== standardId) return;
    if (raw[0] === descriptorEnd) return;
    yield raw;
  }
}

/** Looks for ISO 9660 on a disk; its primary descriptor need not be the first. Never throws. */
export function probe(disk: Disk, { sessionOffset } = plainDisk): Probed | undefined {
  if (sessionOffset % sectorSize !== 0) return undefined;
  const sessionSector = sessionOffset / sectorSize;
  if (isHighSierra(disk, sessionSector)) {
    return {
      type: 'iso9660',
      label: highSierraLabel(disk, sessionSector),
      uuid: '',
      facts: { VERSION: 'High Sierra', BLOCK_SIZE: String(sectorSize), USAGE: 'filesystem' },
    };
  }
  let primary: VolumeDescriptor | undefined;
  let joliet: VolumeDescriptor | undefined;
  let bootSystem: string | undefined;
  for (const raw of descriptorsOf(disk, sessionSector)) {
    const type = raw[0];
    if (type === descriptorPrimary) primary ??= volumeDescriptor.decode(raw);
    else if (type === descriptorBoot) bootSystem ??= trimField(raw.subarray(7, 39)).trimStart();
    else if (type === descriptorSupplementary && joliet === undefined) {
      const descriptor = volumeDescriptor.decode(raw);
      if (jolietLevel(descriptor) > 0) joliet = descriptor;
    }
    if (primary && joliet && bootSystem !== undefined) break;
  }
  if (primary === undefined) return undefined;
  const facts: Record<string, string> = { BLOCK_SIZE: String(sectorSize), USAGE: 'filesystem' };
  for (const [fact, field, mayNameFile] of identifiers) {
    const text = identifier(primary, joliet, field, mayNameFile);
    if (text !== '') facts[fact] = text;
  }
  if (bootSystem) facts.BOOT_SYSTEM_ID = bootSystem;
  if (joliet !== undefined) facts.VERSION = 'Joliet Extension';
  return {
    type: 'iso9660',
    label: joliet
      ? trimBlanks(mergeField(primary.volume_id, joliet.volume_id))
      : trimField(primary.volume_id),
    uuid: dateUuid(isNoDate(primary.modification_date) ? primary.creation_date : primary.modification_date),
    facts,
  };
}

/** High Sierra's descriptors begin with 8 more bytes. */
function highSierraLabel(disk: Disk, sessionSector: number): string {
  const raw = new Uint8Array(32);
  disk.read(raw, (sessionSector + firstDescriptorSector) * sectorSize + 8 + 40);
  return trimField(raw);
}
