/** The least size of a filesystem that has room for so much: what its own structures take is known, and not guessed. */
import { GuestfsError, work } from '../../../base/index.js';
import { layOut } from './format.js';
import type { FormatOptions } from './options.js';
import { chooseProfile } from './profile.js';

/** What is to go into a filesystem: blocks of {@link FormatOptions.blockSize}, and inodes besides the first ones. */
export interface ExtRoom {
  readonly blocks: number;
  readonly inodes: number;
}

/** Inodes that a filesystem has for itself, `lost+found` among them. */
const ownInodes = 11;
/** No filesystem is smaller than this many blocks. */
const leastBlocks = 64;
/** Each round adds what is missing at least, so that few are needed: one for each table that grows with the size. */
const mostRounds = 1000;

type Fixed = Omit<FormatOptions, 'blockCount' | 'inodeCount' | 'blockSize' | 'inodeSize'> & {
  readonly blockSize: number;
  readonly inodeSize: number;
};

/** The options that make the smallest filesystem with this room, its size among them. EINVAL where none has it. */
export function fitExt(options: Fixed, room: ExtRoom): FormatOptions & { readonly blockCount: number } {
  const { blockSize, inodeSize } = options;
  const inodeCount = room.inodes + ownInodes;
  const tables = (size: number): number => Math.ceil((inodeCount * size) / blockSize);
  // A first guess that is seldom too large; with many inodes, no less than their tables.
  let blockCount = Math.max(leastBlocks + room.blocks + tables(128), 1 + room.blocks + tables(inodeSize));
  for (let round = 0; round < mostRounds; round++) {
    work.steps.spend(1000);
    const whole = { ...options, blockCount, inodeCount };
    const values = valuesOf(whole, blockCount * blockSize);
    if (values === undefined) {
      blockCount += leastBlocks;
      continue;
    }
    const free = (values.s_free_blocks_count_hi ?? 0) * 2 ** 32 + (values.s_free_blocks_count_lo ?? 0);
    if (free >= room.blocks && (values.s_free_inodes_count ?? 0) >= room.inodes) return whole;
    blockCount += Math.max(1, room.blocks - free);
  }
  throw new GuestfsError('EINVAL', `no size of a filesystem has room for ${room.blocks} blocks`);
}

/** What the superblock would say; undefined where there is no room for the filesystem's own structures. */
function valuesOf(
  options: FormatOptions,
  sizeInBytes: number,
): ReturnType<typeof layOut>['values'] | undefined {
  try {
    return layOut(options, chooseProfile(options, sizeInBytes, 512)).values;
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'ENOSPC') return undefined;
    throw thrown;
  }
}
