/** What only ext has to tell: for actions that are about ext by name (`tune2fs_l`, `get_e2attrs`, `get_e2generation`, …). */
import { formatUuid } from '../../base/index.js';
import type { FileSystem, InodeNumber } from '../driver.js';
import { ExtFileSystem } from './filesystem.js';
import { modeType } from './layout.js';
import { tune2fsLines } from './tune2fs.js';

export interface ExtDetails {
  /** The volume's name, as `e2label` prints it. */
  readonly label: string;
  /** The UUID, in lower case. */
  readonly uuid: string;
  /** The keys and values of `tune2fs -l`, in its order; what it prints as `<none>` is `<none>`. */
  superblockFacts(): ReadonlyMap<string, string>;
  /** The attributes that `lsattr` shows: the bits of FS_IOC_GETFLAGS. */
  attributeFlags(inode: InodeNumber): number;
  /** What `lsattr -v` shows: FS_IOC_GETVERSION. */
  generation(inode: InodeNumber): number;
}

/** EXT4_FL_USER_VISIBLE: the rest of the flags is the driver's own. */
const visibleFlags = 0x725bdfff;
/** FS_PROJINHERIT_FL, which means nothing on a file. */
const projectInheritFlag = 0x20000000;

/** The details of a filesystem that this driver opened; undefined of others. */
export function extDetails(fileSystem: FileSystem): ExtDetails | undefined {
  if (!(fileSystem instanceof ExtFileSystem)) return undefined;
  const { superblock } = fileSystem.volume;
  return {
    label: superblock.raw.s_volume_name,
    uuid: formatUuid(superblock.raw.s_uuid),
    superblockFacts: () => new Map(tune2fsLines(superblock)),
    attributeFlags(number) {
      const { flags, stat } = fileSystem.inode(number);
      const isFile = (stat.mode & modeType.S_IFMT) === modeType.S_IFREG;
      return (flags & visibleFlags & (isFile ? ~projectInheritFlag : ~0)) >>> 0;
    },
    generation: (number) => fileSystem.inode(number).generation,
  };
}
