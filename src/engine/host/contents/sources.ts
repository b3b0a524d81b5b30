/** Sources of a new filesystem: what lies at a path of the host decides what it is. */
import { lstatSync, statSync } from 'node:fs';
import { encodeText, GuestfsError, hostError } from '../../../base/index.js';
import { areZeroes, type Disk, platform } from '../../../disk/index.js';
import { isTar } from '../../../formats/index.js';
import { openPacked } from '../../../image/index.js';
import { type ContentSource, ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { addContainerImage, type ImageFiles } from './container-image.js';
import { addDirectory, contentsOf } from './directory.js';
import { addMembers, located } from './tar.js';

/** An archive is of blocks of this many bytes. */
const headLength = 512;
/** Without one of these files an archive is no image of a container. */
const imageMarks: ReadonlySet<string> = new Set(['oci-layout', 'manifest.json']);

/** A file, without the compressions that it lies in. */
function unpacked(call: Call, file: Disk, name: string): Disk {
  const { session } = call;
  return openPacked(file, name, {
    directory: session.config.tmpdir,
    tell() {},
    progress: (position, total) => call.progress(position, total),
  });
}

const onHost = (path: string): Buffer => Buffer.from(encodeText(path));

function isDirectory(path: string): boolean {
  try {
    return statSync(onHost(path)).isDirectory();
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

/** Whether a file has the name itself, and no link. */
const isFile = (path: string): boolean =>
  lstatSync(onHost(path), { throwIfNoEntry: false })?.isFile() === true;

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
  const unpack = (file: Disk, name: string): Disk => unpacked(call, file, name);
  if (isDirectory(path)) {
    const find = (name: string): ContentSource | undefined =>
      isFile(`${path}/${name}`) ? contentsOf(`${path}/${name}`) : undefined;
    // A manifest alone could be anything.
    const isImage = find('oci-layout') !== undefined;
    if (!(isImage && addContainerImage(call, tree, { name: path, find }, unpack, open)))
      addDirectory(call, tree, path);
    return;
  }
  const archive = unpack(platform().origin(path).open({ writable: false }), path);
  open.push(archive);
  if (!isArchive(archive))
    throw new GuestfsError('EINVAL', `${path}: is no directory and no tar archive, plain or compressed`, {
      path,
    });
  const members = [...located(call, archive)];
  if (!members.some(({ member }) => imageMarks.has(member.name.replace(/^\.\//, ''))))
    return addMembers(tree, members);
  // Of layers that are the same, `docker save` writes one, and links to it.
  const files = new ContentTree();
  addMembers(files, members);
  const image: ImageFiles = { name: path, find: (name) => files.find(name)?.facts.contents };
  if (!addContainerImage(call, tree, image, unpack, open)) addMembers(tree, members);
}
