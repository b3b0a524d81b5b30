/** Sources of a new filesystem: what lies at a path of the host decides what it is. */
import { statSync } from 'node:fs';
import { encodeText, GuestfsError, hostError } from '../../../base/index.js';
import { areZeroes, type Disk, platform } from '../../../disk/index.js';
import { isTar } from '../../../formats/index.js';
import { openPacked } from '../../../image/index.js';
import type { ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { addDirectory } from './directory.js';
import { addTar } from './tar.js';

/** An archive is of blocks of this many bytes. */
const headLength = 512;

/** A file, without the compressions that it lies in. */
function unpacked(call: Call, file: Disk, name: string): Disk {
  const { session } = call;
  return openPacked(file, name, {
    directory: session.config.tmpdir,
    tell() {},
    progress: (position, total) => call.progress(position, total),
  });
}

function isDirectory(path: string): boolean {
  try {
    return statSync(Buffer.from(encodeText(path))).isDirectory();
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

/** An archive of nothing is all zeroes. */
function isArchive(file: Disk): boolean {
  if (file.size < headLength) return false;
  const head = new Uint8Array(headLength);
  file.read(head, 0);
  return isTar(head) || areZeroes(head);
}

/**
 * Adds what is at a path. Files that the tree reads from later are added to `open`, which the caller closes. EINVAL for a
 * file that is no archive.
 */
export function addSource(call: Call, tree: ContentTree, path: string, open: Disk[]): void {
  if (isDirectory(path)) return addDirectory(call, tree, path);
  const archive = unpacked(call, platform().origin(path).open({ writable: false }), path);
  open.push(archive);
  if (!isArchive(archive))
    throw new GuestfsError('EINVAL', `${path}: is no directory and no tar archive, plain or compressed`, {
      path,
    });
  addTar(call, tree, archive);
}
