/** Extended attributes: the named streams of a file, each as `user.NAME`, as ntfs-3g lists them. */
import { type GuestfsError, systemError, UnsupportedError, work } from '../../base/index.js';
import type { Attribute } from './attribute.js';
import type { Inode } from './inode.js';
import { attributeTypes, wofStreamName } from './layout.js';
import { fileName } from './record.js';
import type { NtfsVolume } from './volume.js';

/** What Linux allows for a value, in bytes. */
const longestValue = 65_536;
/** What all of a file's may have together: a reader holds them at once. */
const mostBytes = 16 * 1024 * 1024;
/** Streams of ntfs-3g's own: attributes of other names than `user`, which are not listed. */
const ownPrefix = 'ntfs-3g.';

/** The bytes of an attribute, or `size` of them; E2BIG for more than Linux allows for a value. */
export function readWhole(
  volume: NtfsVolume,
  attribute: Attribute,
  offset = 0,
  size = attribute.sizeInBytes,
): Uint8Array {
  if (size > longestValue) throw systemError('E2BIG', `${attribute.structure} of ${size} bytes`);
  const value = new Uint8Array(size);
  volume.open(attribute).read(value, offset);
  return value;
}

function isListed(inode: Inode, name: string): boolean {
  const isWof = name === wofStreamName && inode.has('reparsePoint');
  return name !== '' && !isWof && !name.startsWith(ownPrefix);
}

export function readStreams(
  volume: NtfsVolume,
  inode: Inode,
  onTooLong?: (error: GuestfsError) => void,
): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  let total = 0;
  for (const name of inode.attributes.names(attributeTypes.data)) {
    if (!isListed(inode, name)) continue;
    work.entries.spend(1);
    const attribute = inode.attributes.find(attributeTypes.data, name);
    if (attribute === undefined) continue; // the list has it, so it is there or an error
    const { sizeInBytes } = attribute;
    if (sizeInBytes > longestValue && onTooLong !== undefined) {
      onTooLong(systemError('E2BIG', `user.${name} of ${sizeInBytes} bytes`));
      continue;
    }
    total += sizeInBytes;
    if (total > mostBytes)
      throw new UnsupportedError(fileName(inode.number), [`streams of more than ${mostBytes} bytes`]);
    found.set(`user.${name}`, readWhole(volume, attribute));
  }
  return found;
}

const namespaces = /^(?:user\.(.+)|((?:system|security|trusted)\..+))$/s;

/** The stream that is an attribute; undefined where the file has none. EOPNOTSUPP for names that no file can have. */
export function readStream(volume: NtfsVolume, inode: Inode, name: string): Uint8Array | undefined {
  const [, user, other] = namespaces.exec(name) ?? [];
  if (user === undefined && other === undefined)
    throw systemError('EOPNOTSUPP', `${fileName(inode.number)}: attribute '${name}'`);
  if (user !== undefined && !isListed(inode, user)) return undefined;
  const attribute = inode.attributes.find(attributeTypes.data, user ?? `${ownPrefix}${other}`);
  return attribute && readWhole(volume, attribute);
}
