/** Making ext2, ext3 and ext4, and journals for them: as mke2fs(8), with the options that libguestfs gives it. */
import { encodeText, GuestfsError, UnsupportedError } from '../../../base/index.js';
import { numberOfDevice } from '../../../formats/index.js';
import { addJournalUser, type FormatOptions, planExt, readJournalDevice } from '../../../fs/index.js';
import type { BlockDevice } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { eraseSignatures } from './signatures.js';
import { randomUuid, uuidBytes } from './uuids.js';

type ExtType = FormatOptions['type'];
interface Choices extends Omit<FormatOptions, 'type' | 'uuid' | 'hashSeed' | 'time' | 'journal'> {
  readonly type?: ExtType | undefined;
  readonly uuid?: string | undefined;
  /** The device of a journal, or its `LABEL=` or `UUID=`. */
  readonly journalDevice?: string | undefined;
}

const mebibyte = 2 ** 20;
const longestLabel = 16;

export function extTypeOf(name: string): ExtType | undefined {
  return name === 'ext2' || name === 'ext3' || name === 'ext4' ? name : undefined;
}

function extTypeFor(name: string): ExtType {
  const type = extTypeOf(name);
  if (type === undefined) throw new GuestfsError('EINVAL', `${name}: not a valid extended filesystem type`);
  return type;
}

/** The device that `journaldevice` names. */
function findJournal({ session }: Call, name: string): BlockDevice {
  const [, property, value] = /^(LABEL|UUID)=(.*)$/s.exec(name) ?? [];
  if (property === undefined || value === undefined) return session.devices.resolve(name);
  const found = session.findByProperty(property === 'LABEL' ? 'label' : 'uuid', value);
  if (found === undefined) throw new GuestfsError('ENOENT', `no device has ${name}`);
  return found;
}

/** Makes a filesystem on a device. What was there before is gone, partition tables too. */
export function makeExt(call: Call, name: string, { type, uuid, journalDevice, ...choices }: Choices): void {
  const device = writableDevice(call, name);
  call.session.checkUnused(device);
  const journal = journalDevice === undefined ? undefined : findJournal(call, journalDevice);
  if (journal !== undefined) {
    if (journal === device) throw new GuestfsError('EINVAL', 'a filesystem cannot be its own journal');
    call.session.checkUnused(writableDevice(call, journal.name));
  }
  const hasJournal = journal !== undefined || choices.journalSize !== undefined;
  const options: FormatOptions = {
    ...choices,
    type: type ?? (hasJournal ? 'ext3' : 'ext2'),
    uuid: uuidBytes(uuid),
    hashSeed: randomUuid(),
    time: Math.floor(Date.now() / 1000),
    ...(journal !== undefined && {
      journal: { ...readJournalDevice(journal.disk), number: numberOfDevice(journal.name) ?? 0 },
    }),
  };
  const write = planExt(device.disk, options);
  eraseSignatures(call, device, { tables: true });
  changeDevice(call, device, () => write());
  if (journal !== undefined && options.journal !== undefined) {
    const { blockSize } = options.journal;
    changeDevice(call, journal, (disk) => addJournalUser(disk, { blockSize }, options.uuid));
  }
}

/** What libguestfs refuses by itself, before it runs mke2fs. */
function checkNumbers(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options))
    if (typeof value === 'number' && value < 0) throw new GuestfsError('EINVAL', `${name} must be >= 0`);
}

export function checkExtLabel(label: string): void {
  if (encodeText(label).length > longestLabel)
    throw new GuestfsError('EINVAL', `${label}: ext2 labels are limited to ${longestLabel} bytes`);
}

/** The options of libguestfs that are features, and what mke2fs calls them. */
const featureOptions = {
  extent: 'extent',
  filetype: 'filetype',
  flexbg: 'flex_bg',
  hasjournal: 'has_journal',
  journaldev: 'journal_dev',
  largefile: 'large_file',
  quota: 'quota',
  resizeinode: 'resize_inode',
  sparsesuper: 'sparse_super',
  uninitbg: 'uninit_bg',
} as const;

/** Zero means the same as nothing at all. */
const given = (value: number | undefined): number | undefined => value || undefined;

/** What is left out of an object: its members without a value. */
function withoutEmpty<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // safe: a member that is left out is allowed by the type
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

export const extFormatHandlers = {
  mke2fs: (call, name, options) => {
    checkNumbers(options);
    if (options.quotatype !== undefined)
      throw new UnsupportedError('mke2fs', ['the option quotatype'], { elsewhere: 'appliance' });
    const features = Object.entries(featureOptions).flatMap(([option, feature]) => {
      const on = options[option as keyof typeof featureOptions]; // safe: an entry of the record
      return on === undefined ? [] : [on ? feature : `^${feature}`];
    });
    makeExt(call, name, {
      ...withoutEmpty({
        type: options.fstype === undefined ? undefined : extTypeFor(options.fstype),
        usage: options.usagetype,
        blockSize: given(options.blocksize),
        blockCount: given(options.blockscount),
        blocksPerGroup: given(options.blockspergroup),
        groupsPerFlex: given(options.numberofgroups),
        bytesPerInode: given(options.bytesperinode),
        inodeSize: given(options.inodesize),
        inodeCount: given(options.numberofinodes),
        journalSize: options.journalsize === undefined ? undefined : options.journalsize * mebibyte,
        journalDevice: options.journaldevice,
        reservedPercent: options.reservedblockspercentage,
        label: options.label,
        lastMounted: options.lastmounteddir,
        creator: options.creatoros,
        uuid: options.uuid,
        growsTo: given(options.maxonlineresize),
        stride: given(options.stridesize),
        stripeWidth: given(options.stripewidth),
        lazyTables: options.lazyitableinit,
        lazyJournal: options.lazyjournalinit,
        testFilesystem: options.testfs,
        superblocksOnly: options.writesbandgrouponly,
        discard: options.discard,
      }),
      features: features.join(','),
    });
  },
  mke2fs_J: (call, fstype, blockSize, name, journalDevice) =>
    makeExt(call, name, { type: extTypeFor(fstype), blockSize, journalDevice }),
  mke2fs_JL: (call, fstype, blockSize, name, label) => {
    const type = extTypeFor(fstype);
    checkExtLabel(label);
    makeExt(call, name, { type, blockSize, journalDevice: `LABEL=${label}` });
  },
  mke2fs_JU: (call, fstype, blockSize, name, uuid) =>
    makeExt(call, name, { type: extTypeFor(fstype), blockSize, journalDevice: `UUID=${uuid}` }),
  mke2journal: (call, blockSize, name) => makeExt(call, name, { blockSize, features: 'journal_dev' }),
  mke2journal_L: (call, blockSize, label, name) => {
    checkExtLabel(label);
    makeExt(call, name, { blockSize, features: 'journal_dev', label });
  },
  mke2journal_U: (call, blockSize, uuid, name) =>
    makeExt(call, name, { blockSize, features: 'journal_dev', uuid }),
} satisfies TopicHandlers;
