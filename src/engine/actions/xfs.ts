/** Actions of XFS only: its geometry, as xfs_info prints it. */
import { CorruptError, GuestfsError } from '../../base/index.js';
import { type FileSystem, xfsGeometry } from '../../fs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

function geometryOf(fileSystem: FileSystem, device: string, where: string): ReadonlyMap<string, string> {
  const geometry = xfsGeometry(fileSystem, device);
  if (geometry === undefined) throw new GuestfsError('EINVAL', `${where}: not on an XFS filesystem`);
  return geometry;
}

/** The geometry of the filesystem on a device, mounted or not, or of the one that a path is on. */
function geometry(call: Call, where: string): ReadonlyMap<string, string> {
  const { session } = call;
  if (!where.startsWith('/dev/')) {
    const { fileSystem, mount } = session.tree.resolve(where);
    return geometryOf(fileSystem, mount.source, where);
  }
  const device = session.devices.resolve(where);
  const { fileSystem, release } = session.fileSystems.open(device);
  try {
    return geometryOf(fileSystem, device.name, where);
  } finally {
    release();
  }
}

export const xfsHandlers = {
  xfs_info2: (call, where) => new Map(geometry(call, where)),
  xfs_info(call, where) {
    const found = geometry(call, where);
    const text = (name: string): string => {
      const value = found.get(name);
      if (value === undefined) throw new CorruptError('XFS geometry', `has no ${name}`);
      return value;
    };
    /** A number, with a word before or behind it. */
    const number = (name: string): number => Number(/[0-9]+/.exec(text(name))?.[0]);
    return {
      xfsMntpoint: text('meta-data'),
      xfsInodesize: number('meta-data.isize'),
      xfsAgcount: number('meta-data.agcount'),
      xfsAgsize: number('meta-data.agsize'),
      xfsSectsize: number('meta-data.sectsz'),
      xfsAttr: number('meta-data.attr'),
      xfsBlocksize: number('data.bsize'),
      xfsDatablocks: number('data.blocks'),
      xfsImaxpct: number('data.imaxpct'),
      xfsSunit: number('data.sunit'),
      xfsSwidth: number('data.swidth'),
      xfsDirversion: number('naming'),
      xfsDirblocksize: number('naming.bsize'),
      xfsCimode: number('naming.ascii-ci'),
      xfsLogname: text('log'),
      xfsLogblocksize: number('log.bsize'),
      xfsLogblocks: number('log.blocks'),
      xfsLogversion: number('log.version'),
      xfsLogsectsize: number('log.sectsz'),
      xfsLogsunit: number('log.sunit'),
      xfsLazycount: number('log.lazy-count'),
      xfsRtname: text('realtime'),
      xfsRtextsize: number('realtime.extsz'),
      xfsRtblocks: number('realtime.blocks'),
      xfsRtextents: number('realtime.rtextents'),
    };
  },
} satisfies TopicHandlers;
