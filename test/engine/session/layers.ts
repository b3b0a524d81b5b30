/** Devices in memory, scanned as a session scans them, and kinds of layers that are small enough to be written here. */
import { GuestfsError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk, type Probed, SliceDisk } from '../../../src/disk/index.js';
import { DeviceContents } from '../../../src/engine/session/device-contents.js';
import { kinds as allKinds, type LayerKind } from '../../../src/engine/session/kinds.js';
import { OpenFileSystems } from '../../../src/engine/session/open-filesystems.js';
import { PartitionTables } from '../../../src/engine/session/partition-tables.js';
import { DeviceScan } from '../../../src/engine/session/scan.js';
import { plainCall, SessionCalls } from '../../../src/engine/session/session-calls.js';
import { Warnings } from '../../../src/engine/session/warnings.js';
import type { FileSystemDriver } from '../../../src/fs/index.js';
import { DeviceTable } from '../../../src/vfs/index.js';
import type { LockedKind, LockKey, Member, MemberKind, Volume } from '../../../src/volume/index.js';
import { MemoryFileSystem } from '../../support/memory-fs.js';

/** For tests in which it does not matter by which call something was done. */
export const anyCall = plainCall('ping_daemon');

export interface Scanned {
  readonly devices: DeviceTable;
  readonly scan: DeviceScan;
  readonly fileSystems: OpenFileSystems;
  readonly calls: SessionCalls;
  readonly keys: LockKey[];
  readonly warned: string[];
  names(): string[];
}

/** Scans disks, which become `/dev/sda` and so on. */
export function scanOf(
  disks: readonly Uint8Array[],
  kinds: readonly LayerKind[] = allKinds,
  sectorSize = 512,
): Scanned {
  const warned: string[] = [];
  const warnings = new Warnings((message) => void warned.push(message));
  const devices = new DeviceTable();
  const tables = new PartitionTables(warnings);
  const contents = new DeviceContents(tables, kinds, warnings);
  const keys: LockKey[] = [];
  const fileSystems = new OpenFileSystems({
    devices,
    contents,
    kinds,
    tmpdir: '/nowhere',
    warn: (message) => warnings.warn(message),
  });
  const calls = new SessionCalls();
  const scan = new DeviceScan({
    devices,
    kinds,
    tables,
    contents,
    warnings,
    keys,
    calls,
    isOpen: (device) => fileSystems.isOpen(device),
  });
  for (const bytes of disks) devices.addDrive({ open: () => new MemoryDisk(bytes), sectorSize });
  scan.rescan();
  const names = () =>
    [...devices.drives, ...devices.partitions(), ...devices.volumes].map(({ name }) => name);
  return { devices, scan, fileSystems, calls, keys, warned, names };
}

/** Its bytes at the start of a disk. */
function mark(disk: Disk, length: number): string {
  if (disk.size < length) return '';
  const bytes = new Uint8Array(length);
  disk.read(bytes, 0);
  return String.fromCharCode(...bytes);
}

export const boxHeader = 512;
const probed = (type: string, uuid = ''): Probed => ({ type, label: '', uuid, facts: {} });

/** A header of 512 bytes before the bytes. */
export function boxed(bytes: Uint8Array, header: string): Uint8Array {
  const box = new Uint8Array(boxHeader + bytes.length);
  box.set(Buffer.from(header));
  box.set(bytes, boxHeader);
  return box;
}

/** A volume system of which each member is one volume: what lies behind its header `BOX` and a name. */
export function boxKind(options: Partial<MemberKind> = {}): MemberKind<number> {
  const nameOf = ({ disk }: Member): string => mark(disk, 8).slice(3).replace(/\0.*/, '');
  return {
    name: 'box',
    role: 'member',
    usage: 'raid',
    nests: true,
    ...options,
    probe: (disk) => (mark(disk, 3) === 'BOX' ? probed('box') : undefined),
    assemble: (members) => ({
      state: members.length,
      volumes: members.map(
        (member): Volume => ({
          id: nameOf(member),
          layout: String(member.disk.size),
          members: [member.device],
          device: `/dev/box/${nameOf(member)}`,
          mapperName: undefined,
          sizeInBytes: member.disk.size - boxHeader,
          active: true,
          activatable: true,
          stripes: undefined,
          open: () => new SliceDisk(member.disk, boxHeader, member.disk.size - boxHeader),
        }),
      ),
      problems: [],
      findMember: () => undefined,
      absence: () => undefined,
      minors: () => new Map(),
    }),
  };
}

/** Every byte but those of the header, turned by the key's first byte. */
export function locked(bytes: Uint8Array, key: number, uuid = 'lock-uuid'): Uint8Array {
  return boxed(
    bytes.map((byte) => byte ^ key),
    `LOCK${uuid.padEnd(16)}${String.fromCharCode(key)}`,
  );
}

/** A lock whose key is one byte. */
export const lockKind: LockedKind = {
  name: 'lock',
  role: 'locked',
  usage: 'crypto',
  takes: ['raw', 'passphrase'],
  probe: (disk) => (mark(disk, 4) === 'LOCK' ? probed('lock', mark(disk, 20).slice(4).trim()) : undefined),
  unlock(disk, keys, { readonly }) {
    const right = mark(disk, 21).charCodeAt(20);
    const key = keys.find(({ bytes }) => bytes[0] === right)?.bytes[0];
    if (key === undefined) throw new GuestfsError('EPERM', 'no key fits');
    const inside = new Uint8Array(disk.size - boxHeader);
    disk.read(inside, boxHeader);
    return new MemoryDisk(
      inside.map((byte) => byte ^ key),
      { writable: !readonly },
    );
  },
};

/**
 * A filesystem on as many disks as its header `SET`, a letter and a digit say; its one file tells how many it was
 * opened with.
 */
export const setKind: FileSystemDriver = {
  name: 'set',
  role: 'filesystem',
  types: ['set'],
  usage: 'filesystem',
  probe: (disk) => (mark(disk, 3) === 'SET' ? probed('set') : undefined),
  memberOf(disk) {
    const [, set, count] = /^SET([a-z])([0-9])$/.exec(mark(disk, 5)) ?? [];
    return set === undefined ? undefined : { set, count: Number(count), number: 0 };
  },
  open: (_disk, { others = [] }) =>
    new MemoryFileSystem({ disks: String(1 + others.length) }, { type: 'set' }),
};

/** All kinds, with these in the place of those of their names, and before all others where there is none of the name. */
export function kindsWith(...more: readonly LayerKind[]): LayerKind[] {
  const names = new Set(more.map(({ name }) => name));
  return [...more, ...allKinds.filter(({ name }) => !names.has(name))];
}
