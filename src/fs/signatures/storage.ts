/**
 * Recognises disks of other storage systems: DRBD ("drbd-9.0 meta data", drbdmeta's source), Ceph's BlueStore, device
 * mapper's targets (the kernel's dm-verity, dm-integrity and snapshot documents), LVM1, VDO, Stratis ("Stratis
 * Software Design", 3), HSE's media pools.
 */
import { crc32c } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { ascii, container, type Found, label, part, signature, uuid, viewMaybe } from './signature.js';

const blueStoreMark = 'bluestore block device';

function probeBlueStore(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, blueStoreMark.length);
  return view !== undefined && ascii(view, 0, blueStoreMark.length) === blueStoreMark ? {} : undefined;
}

/** Versions by the signature of their metadata, and the place of the device's identifier in each. */
const drbdForms: ReadonlyMap<number, { version: string; deviceAt: number }> = new Map([
  [0x8374026b, { version: 'v08', deviceAt: 40 }],
  [0x8374026c, { version: 'v08', deviceAt: 40 }], // 8.4, not shut down cleanly
  [0x8374026d, { version: 'v09', deviceAt: 48 }],
]);

/** DRBD's metadata are at the end, unless they are on another disk; big-endian. */
function probeDrbd(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, disk.size - 4096, 4096);
  const form = view && drbdForms.get(view.getUint32(60));
  if (form === undefined) return undefined;
  const device = view?.getBigUint64(form.deviceAt) ?? 0n;
  return { uuid: device === 0n ? '' : device.toString(16), facts: { VERSION: form.version } };
}

const drbdManageMark = 0x1adb98a2;

function probeDrbdManage(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 44);
  if (view === undefined || ascii(view, 0, 10) !== '$DRBDmgr=q') return undefined;
  const id = ascii(view, 11, 32);
  if (!/^[0-9a-fA-F]{32}$/.test(id) || ascii(view, 43, 1) !== '\n') return undefined;
  const stored = viewMaybe(disk, 4096, 8);
  if (stored === undefined) return undefined;
  return {
    uuid: id,
    facts: stored.getUint32(0) === drbdManageMark ? { VERSION: String(stored.getInt32(4)) } : {},
  };
}

function probeDrbdProxy(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 40);
  if (view === undefined || ascii(view, 0, 8) !== 'DRBDdlh*') return undefined;
  return { uuid: uuid(view, 16), facts: { VERSION: `v${view.getBigUint64(8, true)}` } };
}

/** The 32 characters of LVM's identifiers, in their groups. */
function lvmUuid(view: DataView, at: number): string {
  const id = ascii(view, at, 32).replace(/\0.*$/s, '');
  return id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/s, '$1-$2-$3-$4-$5-$6-$7');
}

function probeLvm1(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 172);
  if (view === undefined || ascii(view, 0, 2) !== 'HM') return undefined;
  return [1, 2].includes(view.getUint16(2, true)) ? { uuid: lvmUuid(view, 44) } : undefined;
}

function probeSnapshot(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 4);
  return view !== undefined && ascii(view, 0, 4) === 'SnAp' ? {} : undefined;
}

function probeVerity(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 512);
  if (view === undefined || ascii(view, 0, 8) !== 'verity\0\0' || view.getUint32(8, true) !== 1)
    return undefined;
  return { uuid: uuid(view, 16), facts: { VERSION: '1' } };
}

function probeIntegrity(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 64);
  if (view === undefined || ascii(view, 0, 8) !== 'integrt\0' || view.getUint8(8) === 0) return undefined;
  return { facts: { VERSION: String(view.getUint8(8)) } };
}

function probeVdo(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 56);
  return view !== undefined && ascii(view, 0, 8) === 'dmvdo001' ? { uuid: uuid(view, 40) } : undefined;
}

const stratisMark = '!Stra0tis\x86\xff\x02^Arh';
/** The two copies of its header, each of one sector. */
const stratisPlaces = [512, 9 * 512];

/** A UUID that is stored as 32 digits. */
function digitsUuid(view: DataView, at: number): string {
  return label(view, at, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/s, '$1-$2-$3-$4-');
}

function probeStratis(disk: Disk): Found | undefined {
  for (const place of stratisPlaces) {
    const view = viewMaybe(disk, place, 512);
    if (view === undefined || ascii(view, 4, 16) !== stratisMark) continue;
    if (~crc32c(0xffffffff, part(view, 4, 508)) >>> 0 !== view.getUint32(0, true)) continue;
    return {
      uuid: digitsUuid(view, 64),
      facts: {
        POOL_UUID: digitsUuid(view, 32),
        BLOCKDEV_SECTORS: String(view.getBigUint64(20, true)),
        BLOCKDEV_INITTIME: String(view.getBigUint64(120, true)),
      },
    };
  }
  return undefined;
}

function probeMediaPool(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 66);
  if (view === undefined || ascii(view, 0, 8) !== 'mpoolDev') return undefined;
  if (~crc32c(0xffffffff, part(view, 0, 62)) >>> 0 !== view.getUint32(62, true)) return undefined;
  return { label: label(view, 8, 32), uuid: uuid(view, 40) };
}

export const storageMembers = [
  container('drbd', probeDrbd, { usage: 'raid', minimumSize: 0x10000, beyondLinux: true }),
  container('LVM1_member', probeLvm1, { usage: 'raid', beyondLinux: true }),
  container('DM_verity_hash', probeVerity, { usage: 'crypto', beyondLinux: true }),
  container('DM_integrity', probeIntegrity, { usage: 'crypto', beyondLinux: true }),
  container('stratis', probeStratis, { usage: 'raid', minimumSize: 16 * 512, beyondLinux: true }),
];

export const storage = [
  signature('ceph_bluestore', probeBlueStore, { usage: 'other' }),
  signature('drbdmanage_control_volume', probeDrbdManage, { usage: 'other', minimumSize: 64 * 1024 }),
  signature('drbdproxy_datalog', probeDrbdProxy, { minimumSize: 16 * 1024, beyondLinux: true }),
  signature('DM_snapshot_cow', probeSnapshot, { usage: 'other' }),
  signature('vdo', probeVdo, { usage: 'other' }),
  signature('mpool', probeMediaPool, { beyondLinux: true }),
];
