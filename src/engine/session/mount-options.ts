/** Mount options in mount(8)'s notation: those of every filesystem here, and the others for the driver. */

/** Bits of `f_flag`. statvfs(3) of the GNU C library. */
const flag = {
  noSetId: 2,
  noDevices: 4,
  noPrograms: 8,
  synchronous: 16,
  mandatoryLocks: 64,
  noAccessTimes: 1024,
  noDirectoryAccessTimes: 2048,
  relativeAccessTimes: 4096,
  noLinks: 8192,
} as const;

const nothing = { set: 0, clear: 0 } as const;
const accessTimes = flag.noAccessTimes | flag.relativeAccessTimes;
const ofUser = flag.noSetId | flag.noDevices | flag.noPrograms;
const ofOwner = flag.noSetId | flag.noDevices;

/** Options of every filesystem, with their effect on the flags. They have no other effect on reading. */
const general: ReadonlyMap<string, { readonly set: number; readonly clear: number }> = new Map([
  ...'rw ro defaults async dirsync lazytime silent loud auto noauto nouser loop _netdev nofail iversion noiversion relatime norelatime'
    .split(' ')
    .map((name) => [name, nothing] as const),
  ['nosuid', { set: flag.noSetId, clear: 0 }],
  ['suid', { set: 0, clear: flag.noSetId }],
  ['nodev', { set: flag.noDevices, clear: 0 }],
  ['dev', { set: 0, clear: flag.noDevices }],
  ['noexec', { set: flag.noPrograms, clear: 0 }],
  ['exec', { set: 0, clear: flag.noPrograms }],
  ['user', { set: ofUser, clear: 0 }],
  ['users', { set: ofUser, clear: 0 }],
  ['owner', { set: ofOwner, clear: 0 }],
  ['group', { set: ofOwner, clear: 0 }],
  ['sync', { set: flag.synchronous, clear: 0 }],
  ['mand', { set: flag.mandatoryLocks, clear: 0 }],
  ['nomand', { set: 0, clear: flag.mandatoryLocks }],
  ['nosymfollow', { set: flag.noLinks, clear: 0 }],
  ['symfollow', { set: 0, clear: flag.noLinks }],
  ['noatime', { set: flag.noAccessTimes, clear: accessTimes }],
  ['atime', { set: 0, clear: flag.noAccessTimes }],
  ['strictatime', { set: 0, clear: accessTimes }],
  ['nodiratime', { set: flag.noDirectoryAccessTimes, clear: 0 }],
  ['diratime', { set: 0, clear: flag.noDirectoryAccessTimes }],
] as const);

/** Options for mount(8) itself, or for other programs, which never reach the kernel. */
const forPrograms = /^(?:x-|X-|(?:comment|uhelper|helper)=)/;

interface MountRequest {
  readonly readonly: boolean | undefined;
  /** `f_flag` of statvfs(3), without `ST_RDONLY`. */
  readonly flags: number;
  /** The driver's options. */
  readonly own: Readonly<Record<string, string | true>>;
}

/** `a,b=c` sorted out. */
export function parseMountOptions(text: string): MountRequest {
  const own: Record<string, string | true> = {};
  let readonly: boolean | undefined;
  let flags: number = flag.relativeAccessTimes;
  for (const option of text.split(',')) {
    if (option === '' || forPrograms.test(option)) continue;
    if (option === 'ro' || option === 'rw') readonly = option === 'ro';
    const known = general.get(option);
    if (known !== undefined) {
      flags = (flags & ~known.clear) | known.set;
      continue;
    }
    const equals = option.indexOf('=');
    own[equals < 0 ? option : option.slice(0, equals)] = equals < 0 ? true : option.slice(equals + 1);
  }
  return { readonly, flags, own };
}
