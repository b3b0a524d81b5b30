/** Archives of the host, unpacked in the guest. */
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
    unpackTar(call, writer, input, directory, { xattrs, selinux, acls, keepsDirectoryLinks: keepdirlink }),
  );
}

export const archiveWritingHandlers = {
  tar_in: tarIn,
  tgz_in: (call, source, directory) => tarIn(call, source, directory, { compress: 'gzip' }),
  txz_in: (call, source, directory) => tarIn(call, source, directory, { compress: 'xz' }),
} satisfies TopicHandlers;
