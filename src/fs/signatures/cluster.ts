/**
 * Recognises cluster filesystems and those of large storage: GFS and GFS2 (the kernel's gfs2_ondisk.h, big-endian),
 * OCFS and OCFS2 (the kernel's ocfs2_fs.h, little-endian), Oracle's ASM, VMware's VMFS, NetWare's NSS.
 */
import { encodeHex } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import {
  ascii,
  container,
  type Found,
  label,
  part,
  powerOfTwo,
  signature,
  uuid,
  viewMaybe,
} from './signature.js';

/** The smallest filesystem with a GFS journal, and the smallest that Oracle's mkfs makes. */
const minGfsSize = 32 * 1024 * 1024;
const minOcfsSize = 14000 * 1024;

/**
 * Whether a format number is in the range of a version: the filesystem's, then the shared one of several machines.
 */
interface GfsFormat {
  isFormat(format: number): boolean;
  isShared(format: number): boolean;
}
const gfs1: GfsFormat = { isFormat: (format) => format === 1309, isShared: (format) => format === 1401 };
const gfs2: GfsFormat = {
  isFormat: (format) => format >= 1800 && format < 1900,
  isShared: (format) => format >= 1900 && format < 2000,
};

function probeGfs({ isFormat, isShared }: GfsFormat, withFacts: boolean) {
  return (disk: Disk): Found | undefined => {
    const view = viewMaybe(disk, 0x10000, 272);
    if (view === undefined || view.getUint32(0) !== 0x01161970) return undefined;
    if (!isFormat(view.getUint32(24)) || !isShared(view.getUint32(28))) return undefined;
    return {
      label: label(view, 160, 64),
      uuid: uuid(view, 256),
      facts: withFacts ? { VERSION: '1', BLOCK_SIZE: String(view.getUint32(36)) } : {},
    };
  };
}

/** OCFS has its header at the start. (libblkid 2.38 looks 8 KiB further on, where no volume has it.) */
function probeOcfs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 1024);
  if (view === undefined || ascii(view, 8, 9) !== 'OracleCFS') return undefined;
  const major = view.getUint32(4, true);
  return {
    label: label(view, 512 + 48, Math.min(64, view.getUint16(512 + 112, true))),
    uuid: uuid(view, 512 + 114),
    facts: {
      SEC_TYPE: major === 1 ? 'ocfs1' : major >= 9 ? 'ntocfs' : '',
      MOUNT: label(view, 136, Math.min(128, view.getUint16(264, true))),
      VERSION: `${major}.${view.getUint32(0, true)}`,
    },
  };
}

/** OCFS2's superblock is its block 2, whatever the size of a block. */
const ocfs2Offsets = [1024, 2048, 4096, 8192];

function probeOcfs2(disk: Disk): Found | undefined {
  for (const offset of ocfs2Offsets) {
    const view = viewMaybe(disk, offset, 352);
    if (view === undefined || ascii(view, 0, 6) !== 'OCFSV2') continue;
    return {
      label: label(view, 272, 64),
      uuid: uuid(view, 336),
      facts: {
        VERSION: `${view.getUint16(192, true)}.${view.getUint16(194, true)}`,
        BLOCK_SIZE: powerOfTwo(view.getUint32(248, true)),
      },
    };
  }
  return undefined;
}

function probeOracleAsm(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 64);
  return view !== undefined && ascii(view, 32, 8) === 'ORCLDISK' ? { label: label(view, 40, 24) } : undefined;
}

/** The offset of the volume's own UUID, which is text, after the header of its member. */
const vmfsVolumeUuidAt = 512 + 20;

/** VMware: the member of a volume, and the filesystem in it. */
function probeVmfsMember(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0x100000, vmfsVolumeUuidAt + 35);
  if (view === undefined || view.getUint32(0, true) !== 0xc001d00d) return undefined;
  return {
    uuid: label(view, vmfsVolumeUuidAt, 35),
    facts: { UUID_SUB: vmfsUuid(view, 130), VERSION: String(view.getUint32(4, true)) },
  };
}

function probeVmfs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0x200000, 256);
  if (view === undefined || view.getUint32(0, true) !== 0x2fabf15e) return undefined;
  return {
    label: label(view, 29, 128),
    uuid: part(view, 9, 16).some((byte) => byte !== 0) ? vmfsUuid(view, 9) : '',
    facts: { VERSION: String(view.getUint8(8)) },
  };
}

/** Two 32-bit numbers and one of 16 bits, little-endian, and six bytes. */
function vmfsUuid(view: DataView, at: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const tail = encodeHex(part(view, at + 10, 6));
  return `${hex(view.getUint32(at, true), 8)}-${hex(view.getUint32(at + 4, true), 8)}-${hex(view.getUint16(at + 8, true), 4)}-${tail}`;
}

function probeNss(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 4096, 364);
  if (view === undefined || ascii(view, 0, 4) !== 'SPB5') return undefined;
  const minor = String(view.getUint16(10, true)).padStart(2, '0');
  return { uuid: uuid(view, 348), facts: { VERSION: `${view.getUint16(8, true)}.${minor}` } };
}

export const vmfsMember = container('VMFS_volume_member', probeVmfsMember, {
  usage: 'raid',
  beyondLinux: true,
});

export const cluster = [
  signature('gfs', probeGfs(gfs1, false), { minimumSize: minGfsSize, beyondLinux: true }),
  signature('gfs2', probeGfs(gfs2, true), { minimumSize: minGfsSize }),
  signature('ocfs', probeOcfs, { minimumSize: minOcfsSize, beyondLinux: true }),
  signature('ocfs2', probeOcfs2, { minimumSize: minOcfsSize }),
  signature('oracleasm', probeOracleAsm, { beyondLinux: true }),
  signature('nss', probeNss, { beyondLinux: true }),
  signature('VMFS', probeVmfs, { beyondLinux: true }),
];
