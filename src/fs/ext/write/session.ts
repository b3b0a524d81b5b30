/** What writing to an open filesystem takes: made at the first change, so that one that is only read stays as it is. */
import {
  CorruptError,
  crc32c,
  type GuestfsError,
  systemError,
  UnsupportedError,
} from '../../../base/index.js';
import type { Disk, DiskJournal, GatheredDisk, WriteCache } from '../../../disk/index.js';
import type { Time } from '../../driver.js';
import { featureNames, incompat, isWritableByKernel, roCompat } from '../features.js';
import { openForWriting } from '../journal/writing.js';
import { blockIdentity, orphanBlockTail, superblockOffset } from '../layout.js';
import type { ExtMountOptions } from '../options.js';
import { isMarkedDamaged, type Orphans } from '../orphans.js';
import { has, type Superblock } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { ChangeableBlocks } from './blocks.js';
import { DirectoryWriter } from './directory-writer.js';
import { Files } from './files.js';
import { moveOut } from './inline-writer.js';
import { InodeLife } from './inode-life.js';
import { InodeTable } from './inode-table.js';
import { Space } from './space.js';
import { changeSuperblock } from './superblock-writer.js';

/** What the opener knows. */
interface SessionFacts {
  readonly volume: ExtVolume;
  readonly cache: WriteCache;
  readonly data: GatheredDisk;
  readonly orphans: Orphans;
  /** Finds the disk of an external journal by its UUID. */
  readonly findJournal: ((uuid: string) => Disk | undefined) | undefined;
  readonly now: () => Time;
  /** See `OpenOptions`. */
  readonly isNew: boolean;
  readonly parentOf: (directory: number) => number;
}

export function startWriting(facts: SessionFacts): WriteSession {
  return new WriteSession(facts);
}

export class WriteSession {
  readonly volume: ExtVolume;
  readonly blocks: ChangeableBlocks;
  readonly journal: DiskJournal;
  readonly inodes: InodeTable;
  readonly files: Files;
  readonly life: InodeLife;
  readonly directories: DirectoryWriter;
  readonly parentOf: (directory: number) => number;

  constructor({ volume, cache, data, orphans, now, parentOf, findJournal, isNew }: SessionFacts) {
    this.volume = volume;
    this.parentOf = parentOf;
    this.journal = openForWriting(volume, cache, { isNew, ...marksOf(volume, now, findJournal) });
    this.blocks = new ChangeableBlocks(cache, this.journal, volume, data);
    const space = new Space(volume, this.blocks);
    this.inodes = new InodeTable(volume, this.blocks);
    this.files = new Files(volume, this.blocks, space, this.inodes);
    this.life = new InodeLife(volume, this.blocks, space, this.inodes, this.files, now);
    this.directories = new DirectoryWriter(volume, this.blocks, this.inodes, this.files, (inode) =>
      moveOut({ ...this, xattrs: this.life.xattrs }, inode),
    );
    this.#takeOrphans(orphans);
  }

  /** Ends the writing: whatever is still held goes, and all is in its place. */
  close(): void {
    try {
      this.life.finishOrphans(this.life.orphans);
    } finally {
      this.journal.close();
    }
  }

  /** What others left as orphans is finished, as by a mount. */
  #takeOrphans({ listed, filed }: Orphans): void {
    if (listed.length + filed.length === 0) return;
    const { volume, blocks, life } = this;
    life.adopt(listed);
    if (filed.length > 0)
      blocks.run(filed.length + 8, undefined, () => {
        for (const number of filed) life.addOrphan(number);
        clearOrphanFile(volume, blocks, this.files);
        changeSuperblock(blocks, volume.superblock.blockSize, ({ s_feature_ro_compat: features }) => ({
          s_feature_ro_compat: (features & ~roCompat.orphanPresent) >>> 0,
        }));
      });
    life.finishOrphans([...filed, ...listed]);
  }
}

/** Empties the file of orphans, whose inodes are on the list now. */
function clearOrphanFile(volume: ExtVolume, blocks: ChangeableBlocks, files: Files): void {
  const { raw, blockSize } = volume.superblock;
  const inode = volume.anyInode(raw.s_orphan_file_inum);
  const map = files.map(inode);
  const end = blockSize - orphanBlockTail.size;
  for (let logical = 0; logical < Math.floor(inode.stat.sizeInBytes / blockSize); logical++) {
    const { kind, block } = map.at(logical);
    if (kind === 'hole') throw new CorruptError('ext4 orphan file', 'has a hole', { block: logical });
    const { bytes } = blocks.change(block);
    bytes.fill(0, 0, end);
    const seed = volume.checksumSeedOf(inode);
    if (seed === undefined) continue;
    const sum = crc32c(crc32c(seed, blockIdentity.encode({ number: block })), bytes.subarray(0, end));
    orphanBlockTail.encode({ ob_checksum: sum }, bytes, end);
  }
}

/** What the superblock says of the writing, before and behind it. */
function marksOf(
  volume: ExtVolume,
  now: () => Time,
  findJournal: SessionFacts['findJournal'],
): Omit<Parameters<typeof openForWriting>[2], 'isNew'> {
  const { features, blocksPerCluster } = volume.superblock;
  const seconds = (): number => Math.max(0, Math.floor(now().seconds)) % 0x1_0000_0000;
  return {
    findJournal,
    opened: ({ s_mnt_count: count }) => ({
      s_mnt_count: Math.min(count + 1, 0xffff),
      s_mtime: seconds(),
      s_wtime: seconds(),
    }),
    closed: () => {
      const free = volume.groups.free();
      const blocks = free.clusters * blocksPerCluster;
      return {
        s_free_blocks_count_lo: blocks % 0x1_0000_0000,
        ...(has(features.incompat, incompat.sixtyFourBit)
          ? { s_free_blocks_count_hi: Math.floor(blocks / 0x1_0000_0000) }
          : {}),
        s_free_inodes_count: free.inodes,
        s_wtime: seconds(),
      };
    },
  };
}

/** Why a filesystem cannot be written, though its disk can; undefined where it can. */
export function whyReadOnly(superblock: Superblock, mount: ExtMountOptions): GuestfsError | undefined {
  const { features, raw, createdByHurd } = superblock;
  const refuse = (...names: string[]): UnsupportedError =>
    new UnsupportedError(
      'ext4 filesystem',
      names.map((name) => `writing with ${name}`),
      { elsewhere: 'appliance' },
    );
  if (mount.readOnly) return systemError('EROFS', 'ext4 filesystem');
  if (!isWritableByKernel(features))
    return refuse(...featureNames({ compat: 0, incompat: 0, roCompat: features.roCompat }));
  if (has(features.roCompat, roCompat.quota)) return refuse('quota');
  if (has(features.incompat, incompat.mmp)) return refuse('mmp');
  if (createdByHurd) return refuse('inodes of GNU/Hurd');
  if (mount.superblockAt !== superblockOffset) return refuse('another superblock than the first');
  if (isMarkedDamaged(raw.s_state))
    return new CorruptError(
      'ext4 filesystem',
      'is marked as having errors: it has to be checked before it is written',
    );
  if (!mount.replay && has(features.incompat, incompat.needsRecovery))
    return refuse('a log that was not replayed');
  return undefined;
}
