/**
 * The geometry of a filesystem in the words of xfs_info (the kernel's XFS_IOC_FSGEOMETRY, xfsprogs's libfrog/fsgeom.c):
 * `data.bsize`, `log.blocks`, … with the units that it prints.
 */
import type { FileSystem } from '../../driver.js';
import { XfsFileSystem } from '../filesystem.js';

const flag = (value: boolean): string => (value ? '1' : '0');
const blocks = (count: number): string => `${count} blks`;

/**
 * Names and values of a filesystem that this driver opened; undefined for others. `device`: the name that stands for
 * `meta-data`.
 */
export function xfsGeometry(fileSystem: FileSystem, device: string): ReadonlyMap<string, string> | undefined {
  if (!(fileSystem instanceof XfsFileSystem)) return undefined;
  const { superblock } = fileSystem.volume;
  const { raw, features, blockSize, sectorSize } = superblock;
  const attributes = features.attributes ? 1 : 0;
  return new Map([
    ['meta-data', device],
    ['meta-data.isize', String(superblock.inodeSize)],
    ['meta-data.agcount', String(superblock.groupCount)],
    ['meta-data.agsize', blocks(superblock.groupBlocks)],
    ['meta-data.sectsz', String(sectorSize)],
    ['meta-data.attr', String(features.attr2 ? 2 : attributes)],
    ['meta-data.projid32bit', flag(features.projid32)],
    ['meta-data.crc', flag(features.version === 5)],
    ['meta-data.finobt', flag(features.finobt)],
    ['meta-data.sparse', flag(features.sparseInodes)],
    ['meta-data.rmapbt', flag(features.rmapbt)],
    ['meta-data.reflink', flag(features.reflink)],
    ['meta-data.bigtime', flag(features.bigtime)],
    ['meta-data.inobtcount', flag(features.inobtCounts)],
    ['meta-data.nrext64', flag(features.nrext64)],
    ['meta-data.exchange', flag(features.exchangeRange)],
    ['data.bsize', String(blockSize)],
    ['data.blocks', String(superblock.blockCount)],
    ['data.imaxpct', String(raw.sb_imax_pct)],
    ['data.sunit', String(raw.sb_unit)],
    ['data.swidth', blocks(raw.sb_width)],
    ['naming', 'version 2'],
    ['naming.bsize', String(superblock.directoryBlockSize)],
    ['naming.ascii-ci', flag(features.caseInsensitive)],
    ['naming.ftype', flag(features.ftype)],
    ['naming.parent', flag(features.parentPointers)],
    ['log', raw.sb_logstart === 0 ? 'external' : 'internal log'],
    ['log.bsize', String(blockSize)],
    ['log.blocks', String(raw.sb_logblocks)],
    ['log.version', features.logVersion2 ? '2' : '1'],
    ['log.sectsz', String(features.sectors ? raw.sb_logsectsize : leastLogSector)],
    ['log.sunit', blocks(Math.floor(raw.sb_logsunit / blockSize))],
    ['log.lazy-count', flag(features.lazyCounters)],
    ['realtime', raw.sb_rblocks === 0 ? 'none' : 'external'],
    ['realtime.extsz', String(raw.sb_rextsize * blockSize)],
    ['realtime.blocks', String(raw.sb_rblocks)],
    ['realtime.rtextents', String(raw.sb_rextents)],
  ]);
}

const leastLogSector = 512;
