/** Extended attributes: the named streams of a file, each as `user.NAME`, as ntfs-3g lists them. */
import { UnsupportedError, work } from '../../base/index.js';
import type { Inode } from './inode.js';
import { attributeTypes, wofStreamName } from './layout.js';
import { fileName } from './record.js';
import type { NtfsVolume } from './volume.js';

/** What Linux allows for a value, in bytes. */
const longestValue = 65_536;
/** What all of a file's may have together: a reader holds them at once. */
const mostBytes = 16 * 1024 * 1024;
/** Streams of ntfs-3g's own. */
const ownPrefix = 'ntfs-3g.';

export function readStreams(volume: NtfsVolume, inode: Inode): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  let total = 0;
  for (const name of inode.attributes.names(attributeTypes.data)) {
    const isWof = name === wofStreamName && inode.has('reparsePoint');
    if (name === '' || isWof || name.startsWith(ownPrefix)) continue;
    work.entries.spend(1);
    const attribute = inode.attributes.find(attributeTypes.data, name);
    if (attribute === undefined) continue; // the list has it, so it is there or an error
    const { sizeInBytes } = attribute;
    total += sizeInBytes;
    if (sizeInBytes > longestValue || total > mostBytes)
      throw new UnsupportedError(fileName(inode.number), [
        `the stream ${name} of ${sizeInBytes} bytes as an extended attribute, which has at most ${longestValue}`,
      ]);
    const value = new Uint8Array(sizeInBytes);
    volume.open(attribute).read(value, 0);
    found.set(`user.${name}`, value);
  }
  return found;
}
