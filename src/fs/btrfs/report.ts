/** What tools say of a filesystem: its subvolumes, and what each of them is. */
import { CorruptError, decodeText, work } from '../../base/index.js';
import type { FileSystem, InodeNumber } from '../driver.js';
import { BtrfsFileSystem } from './filesystem.js';
import { inodeRefAt, itemTypes, objects, rootFlags, rootItem, rootItemMore } from './layout.js';
import { findQuota, listQuotaGroups, type Quota, type QuotaGroup } from './quotas.js';
import {
  defaultSubvolume,
  findSubvolume,
  isSubvolumeId,
  placeOf,
  rootItemOf,
  type Subvolume,
} from './subvolumes.js';
import { key } from './tree/keys.js';
import type { BtrfsVolume } from './volume.js';

/** A subvolume. UUIDs of zeroes stand for none. */
export interface SubvolumeFacts {
  readonly id: number;
  /** The number of the subvolume that it lies in; 0 of the topmost. */
  readonly parent: number;
  /** From the topmost subvolume, without a slash before it; empty of the topmost. */
  readonly path: string;
  readonly generation: number;
  /** The generation in which it was made. */
  readonly originalGeneration: number;
  readonly uuid: Uint8Array;
  readonly parentUuid: Uint8Array;
  readonly receivedUuid: Uint8Array;
  /** In seconds since 1970. */
  readonly created: number;
  /** The generation of what was sent from it, and the one in which it was received: here, and when. */
  readonly sentGeneration: number;
  readonly receivedGeneration: number;
  readonly received: number;
  readonly isReadOnly: boolean;
}

export interface BtrfsDetails {
  /** The subvolume that is mounted where none is named. */
  readonly defaultId: number;
  /** All but the topmost, by their numbers. */
  subvolumes(): SubvolumeFacts[];
  /** The subvolume whose topmost directory an inode is; undefined for another inode. */
  subvolumeOf(inode: InodeNumber): SubvolumeFacts | undefined;
  /** All groups of quotas; undefined where quotas are not enabled. */
  quotaGroups(): QuotaGroup[] | undefined;
  /** What the subvolume of a number takes, and may take. */
  quotaOf(id: number): Quota | undefined;
  /** Whether a balance was begun that is not done. */
  readonly hasBalance: boolean;
}

/** What only btrfs has; undefined for another filesystem. */
export function btrfsDetails(fileSystem: FileSystem): BtrfsDetails | undefined {
  if (!(fileSystem instanceof BtrfsFileSystem)) return undefined;
  const { volume } = fileSystem;
  return {
    get defaultId() {
      return defaultSubvolume(volume);
    },
    subvolumes: () => listSubvolumes(volume),
    subvolumeOf(inode) {
      const id = fileSystem.subvolumeAt(inode);
      return id === undefined ? undefined : factsOf(volume, id, new Paths(volume));
    },
    quotaGroups: () => listQuotaGroups(volume),
    quotaOf: (id) => findQuota(volume, id),
    get hasBalance() {
      return volume.rootTree.find(key(objects.balance, itemTypes.temporaryItem, 0)) !== undefined;
    },
  };
}

function listSubvolumes(volume: BtrfsVolume): SubvolumeFacts[] {
  const paths = new Paths(volume);
  const found: SubvolumeFacts[] = [];
  for (const { type, object } of volume.rootTree.items()) {
    if (type !== itemTypes.rootBackref || !isSubvolumeId(object) || object === found.at(-1)?.id) continue;
    const facts = factsOf(volume, object, paths);
    if (facts !== undefined) found.push(facts);
  }
  return found;
}

/** Undefined for a subvolume that was deleted. */
function factsOf(volume: BtrfsVolume, id: number, paths: Paths): SubvolumeFacts | undefined {
  const item = rootItemOf(volume, id);
  const place = placeOf(volume, id);
  if (item === undefined || rootItem.get(item.view, item.start, 'refs') === 0) return undefined;
  const { generation, flags_low: flags } = rootItem.decode(item.view, item.start);
  // A root of old has no more, and one that an old kernel wrote to has it of another generation.
  const more = item.size < rootItemMore.size ? undefined : rootItemMore.decode(item.view, item.start);
  const isKnown = more !== undefined && more.generation_v2 === generation;
  const none = new Uint8Array(16);
  return {
    id,
    parent: place?.parent ?? 0,
    path: paths.of(id),
    generation,
    originalGeneration: isKnown ? more.otransid : 0,
    uuid: isKnown ? more.uuid : none,
    parentUuid: isKnown ? more.parent_uuid : none,
    receivedUuid: isKnown ? more.received_uuid : none,
    created: isKnown ? more.otime_sec : 0,
    sentGeneration: isKnown ? more.stransid : 0,
    receivedGeneration: isKnown ? more.rtransid : 0,
    received: isKnown ? more.rtime_sec : 0,
    isReadOnly: (flags & rootFlags.readOnly) !== 0,
  };
}

/** Nobody nests them, or directories, so deep. */
const mostDepth = 1024;

/** Paths of subvolumes and directories, from the topmost subvolume. */
class Paths {
  readonly #volume: BtrfsVolume;
  readonly #subvolumes = new Map<number, string>();

  constructor(volume: BtrfsVolume) {
    this.#volume = volume;
  }

  /** CorruptError for one that lies in itself. */
  of(id: number, depth = 0): string {
    const known = this.#subvolumes.get(id);
    if (known !== undefined) return known;
    const place = placeOf(this.#volume, id);
    if (depth > mostDepth) throw new CorruptError(`btrfs subvolume ${id}`, 'lies too deep, or in itself');
    let path = '';
    if (place !== undefined) {
      const parent = findSubvolume(this.#volume, place.parent);
      if (parent === undefined)
        throw new CorruptError(`btrfs subvolume ${id}`, 'lies in one that is missing', { id: place.parent });
      const names = [...namesTo(parent, place.directory), decodeText(place.name)];
      const above = this.of(place.parent, depth + 1);
      path = (above === '' ? names : [above, ...names]).join('/');
    }
    this.#subvolumes.set(id, path);
    return path;
  }
}

/** The names from the topmost directory of a subvolume to another directory of it. */
function namesTo({ tree, root }: Subvolume, directory: number): string[] {
  const names: string[] = [];
  for (let at = directory; at !== root; ) {
    work.entries.spend(1);
    const item = tree.ceiling(at, itemTypes.inodeRef, 0);
    const length = item && item.size >= inodeRefAt.name ? item.size - inodeRefAt.name : -1;
    if (item === undefined || length < 0 || names.length > mostDepth)
      throw new CorruptError(tree.name, 'has a directory that is not under its topmost one', {
        inode: directory,
      });
    const stored = Math.min(length, item.view.getUint16(item.start + inodeRefAt.name_len, true));
    names.unshift(decodeText(item.bytes(inodeRefAt.name, stored)));
    at = item.offset;
  }
  return names;
}
