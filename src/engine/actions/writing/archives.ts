/** Archives and trees of the host, unpacked in the guest. */
import { systemError } from '../../../base/index.js';
import { tarMembers } from '../../../formats/index.js';
import { hostMembers, topOf } from '../../host/contents/members.js';
import type { FileInSource } from '../../host/data-sinks.js';
import { unpackTar } from '../../host/unpack-tar.js';
import { withUnpacked } from '../../host/unpacked-input.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { treeWriter } from './writer.js';

/** Exported for the compiler. */
export interface TarInOptions {
  readonly compress?: string | undefined;
  readonly xattrs?: boolean | undefined;
  readonly selinux?: boolean | undefined;
  readonly acls?: boolean | undefined;
  readonly keepdirlink?: boolean | undefined;
}

function tarIn(call: Call, source: FileInSource, directory: string, options: TarInOptions): void {
  const { xattrs = false, selinux = false, acls = false, keepdirlink = false } = options;
  const writer = treeWriter(call);
  writer.checkWritable(directory);
  withUnpacked(call, source, options.compress, (input) =>
    unpackTar(call, writer, tarMembers(input), directory, {
      xattrs,
      selinux,
      acls,
      keepsDirectoryLinks: keepdirlink,
    }),
  );
}

/** As libguestfs does it, by tar: owners, permissions and whole seconds of times are kept, and nothing else is. */
function copyIn(call: Call, path: string, directory: string): void {
  const top = topOf(path);
  const writer = treeWriter(call);
  if (call.session.tree.find(directory)?.type !== 'directory') throw systemError('ENOTDIR', directory);
  writer.checkWritable(directory);
  unpackTar(call, writer, hostMembers(call, top), directory, {
    xattrs: false,
    selinux: false,
    acls: false,
    keepsDirectoryLinks: false,
  });
}

export const archiveWritingHandlers = {
  copy_in: copyIn,
  tar_in: tarIn,
  tgz_in: (call, source, directory) => tarIn(call, source, directory, { compress: 'gzip' }),
  txz_in: (call, source, directory) => tarIn(call, source, directory, { compress: 'xz' }),
} satisfies TopicHandlers;
