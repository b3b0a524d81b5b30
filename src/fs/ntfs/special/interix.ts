/**
 * Special files as Interix and ntfs-3g write them: files with the attribute "system", of which the size or the first
 * bytes say what they are.
 */
import { CorruptError, systemError, viewOf } from '../../../base/index.js';
import type { Inode } from '../inode.js';
import {
  interixDeviceSize,
  interixHead,
  interixMagic,
  interixMagicSize,
  longestInterixTarget,
} from '../layout.js';
import { decodeName } from '../names.js';
import { fileName } from '../record.js';
import type { NtfsVolume } from '../volume.js';

interface InterixKind {
  readonly type: 'file' | 'fifo' | 'socket' | 'symlink' | 'character' | 'block';
  readonly device?: { readonly major: number; readonly minor: number };
  readonly target?: string;
}

const plain: InterixKind = { type: 'file' };

/** What a file is that is marked as the system's, and is no directory. */
export function kindOfSystemFile(volume: NtfsVolume, inode: Inode): InterixKind {
  const { data } = inode;
  if (data === undefined) return plain;
  const size = data.sizeInBytes;
  if (size <= 1) return inode.has('hidden') ? plain : { type: size === 0 ? 'fifo' : 'socket' };
  if (size <= interixMagicSize || size > interixMagicSize + 2 * longestInterixTarget) return plain;
  const bytes = new Uint8Array(size);
  volume.open(data).read(bytes, 0);
  const view = viewOf(bytes);
  const magic = interixHead.decode(view).magic;
  if (magic === interixMagic.symlink)
    return { type: 'symlink', target: decodeName(bytes.subarray(interixMagicSize)) };
  if (size !== interixDeviceSize || (magic !== interixMagic.character && magic !== interixMagic.block))
    return plain;
  // Device numbers have eight bytes here, and four in an inode.
  const major = view.getUint32(interixMagicSize, true);
  const minor = view.getUint32(interixMagicSize * 2, true);
  return { type: magic === interixMagic.block ? 'block' : 'character', device: { major, minor } };
}

export function interixTarget(volume: NtfsVolume, inode: Inode): string {
  const { target } = kindOfSystemFile(volume, inode);
  if (target === undefined) throw systemError('EINVAL', fileName(inode.number));
  if (target === '') throw new CorruptError(fileName(inode.number), 'is a link without a target');
  return target;
}
