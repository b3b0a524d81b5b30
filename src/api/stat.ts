/** The status of a file in the older shape: whole seconds, and names without a prefix. */
import type { Structs } from './structs.js';

/** What `stat` gives of what `statns` gives. */
export function statStruct(stat: Structs['statns']): Structs['stat'] {
  return {
    dev: stat.stDev,
    ino: stat.stIno,
    mode: stat.stMode,
    nlink: stat.stNlink,
    uid: stat.stUid,
    gid: stat.stGid,
    rdev: stat.stRdev,
    size: stat.stSize,
    blksize: stat.stBlksize,
    blocks: stat.stBlocks,
    atime: stat.stAtimeSec,
    mtime: stat.stMtimeSec,
    ctime: stat.stCtimeSec,
  };
}
