/** Making filesystems of any kind, as libguestfs runs their mkfs programs. */
import { GuestfsError, isPowerOfTwo, UnsupportedError } from '../../../base/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { extTypeOf, makeExt } from './ext-format.js';
import { isFatType, makeFat } from './fat-format.js';

interface MkfsOptions {
  readonly blocksize?: number | undefined;
  readonly features?: string | undefined;
  readonly inode?: number | undefined;
  readonly sectorsize?: number | undefined;
  readonly label?: string | undefined;
}

function checkOptions(fstype: string, { blocksize, inode, sectorsize }: MkfsOptions): void {
  if (blocksize !== undefined && !(blocksize > 0 && isPowerOfTwo(blocksize)))
    throw new GuestfsError('EINVAL', 'block size must be > 0 and a power of 2');
  if (inode !== undefined) {
    if (extTypeOf(fstype) === undefined)
      throw new GuestfsError('EINVAL', 'inode size (-I) can only be set on ext2/3/4 filesystems');
    if (inode <= 0) throw new GuestfsError('EINVAL', 'inode size must be larger than zero');
  }
  if (sectorsize !== undefined) {
    if (fstype !== 'ufs')
      throw new GuestfsError('EINVAL', 'sector size (-S) can only be set on ufs filesystems');
    if (sectorsize <= 0) throw new GuestfsError('EINVAL', 'sector size must be larger than zero');
  }
}

function makeFileSystem(call: Call, fstype: string, name: string, options: MkfsOptions = {}): void {
  checkOptions(fstype, options);
  if (isFatType(fstype)) return makeFat(call, name, options);
  const type = extTypeOf(fstype);
  if (type === undefined) throw new UnsupportedError('mkfs', [fstype], { elsewhere: 'appliance' });
  const { blocksize, features, inode, label } = options;
  makeExt(call, name, {
    type,
    ...(blocksize !== undefined && { blockSize: blocksize }),
    ...(features !== undefined && { features }),
    ...(inode !== undefined && { inodeSize: inode }),
    ...(label !== undefined && { label }),
  });
}

export const makingHandlers = {
  mkfs: makeFileSystem,
  mkfs_b: (call, fstype, blocksize, name) => makeFileSystem(call, fstype, name, { blocksize }),
} satisfies TopicHandlers;
