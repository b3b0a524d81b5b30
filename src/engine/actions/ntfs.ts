/** Actions of NTFS only: what ntfs-3g.probe and ntfscat tell. */
import { GuestfsError } from '../../base/index.js';
import { ntfsContents, ntfsStatus } from '../../fs/index.js';
import { move } from '../host/copy-data.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { withFileSystem } from './forensics.js';

export const ntfsHandlers = {
  ntfs_3g_probe: (call, rw, name) => ntfsStatus(call.session.devices.resolve(name).disk, rw),
  ntfscat_i: (call, mountable, inode, sink) =>
    withFileSystem(call, mountable, (fileSystem) => {
      const contents = ntfsContents(fileSystem, inode);
      if (contents === undefined) throw new GuestfsError('EINVAL', `${mountable}: not an NTFS filesystem`);
      move(call, contents, sink);
    }),
} satisfies TopicHandlers;
