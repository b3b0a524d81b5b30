/**
 * Recognises the content of a disk on which several kinds may seem to be, by the rules of libblkid's safe probing
 * (util-linux 2.38).
 * All kinds are tried in a fixed order. A member or an encrypted disk ends the search, because filesystems that show
 * through it are its contents. Otherwise, if there is more than one kind, and not all of them share disks by design,
 * the disk is ambivalent: its content is unclear. A disk as small as a floppy is the first kind found; besides that,
 * only kinds that share disks with it are tried, since one of them may be the one to open.
 */
import { endsCall, GuestfsError } from '../../base/index.js';
import { type Disk, type ProbeContext, type Probed, plainDisk } from '../../disk/index.js';
import { kinds, type LayerKind } from './kinds.js';
import { ProbeWindow } from './window.js';

/** One kind that is seen on a disk. */
interface Sighting {
  readonly kind: LayerKind;
  readonly probed: Probed;
}

/** All that is seen on a disk. */
export interface Recognition {
  /** In the order of the kinds. The first one names the disk. */
  readonly seen: readonly Sighting[];
  /** Whether the kinds exclude each other, so that the disk has no name. */
  readonly ambivalent: boolean;
  /** Why some kinds could not be looked for. */
  readonly unread: GuestfsError | undefined;
}

/** A disk with no more bytes than an extended partition is empty. */
const smallestSize = 1025;
/** The largest floppy. */
const floppySize = 1440 * 1024;

/** Whether what is found ends the search. */
function ends({ usage }: LayerKind): boolean {
  return usage === 'raid' || usage === 'crypto';
}

function isLookedFor(kind: LayerKind, disk: Disk, { whole }: ProbeContext): boolean {
  if (disk.size < (kind.minimumSize ?? 0)) return false;
  if (kind.usage === 'raid' && disk.size <= floppySize) return false;
  return whole || kind.wholeDisksOnly !== true;
}

/**
 * Examines a disk. If it cannot be read, and nothing is recognised in the readable part, this throws the disk's own
 * error. A missing context means a whole disk without partitions.
 */
export function recognise(
  disk: Disk,
  about: Partial<ProbeContext> = {},
  all: readonly LayerKind[] = kinds,
): Recognition {
  const seen: Sighting[] = [];
  if (disk.size < smallestSize) return { seen, ambivalent: false, unread: undefined };
  const context = { ...plainDisk, ...about };
  const window = new ProbeWindow(disk);
  let unread: GuestfsError | undefined;
  const isFloppy = disk.size <= floppySize;
  for (const kind of all) {
    if (!isLookedFor(kind, disk, context)) continue;
    if (isFloppy && seen.length > 0 && !kind.tolerant) continue;
    try {
      const probed = kind.probe(window, context);
      if (probed === undefined) continue;
      seen.push({ kind, probed });
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
      unread ??= thrown;
      continue;
    }
    if (ends(kind) || (isFloppy && !kind.tolerant)) break;
  }
  if (seen.length === 0 && unread !== undefined) throw unread;
  const ambivalent = seen.length > 1 && seen.some(({ kind }) => !kind.tolerant && !ends(kind));
  return { seen, ambivalent, unread };
}

/** The names of all recognised kinds: `ext4 and xfs`. */
export function namesOf({ seen }: Recognition): string {
  return seen.map(({ probed }) => probed.type).join(' and ');
}

/** The kind that names the disk; undefined if none is known, or the content is unclear. */
export function identityOf(recognition: Recognition): Probed | undefined {
  return recognition.ambivalent ? undefined : recognition.seen[0]?.probed;
}

/** The error for a caller who wants the contents of an ambivalent disk; EINVAL, as in mount(8). */
export function ambivalence(recognition: Recognition, name: string): GuestfsError {
  return new GuestfsError(
    'EINVAL',
    `${name}: has signatures of ${namesOf(recognition)}: mount it with the type that is meant (mount_vfs)`,
  );
}

/**
 * The kind to open: of those that share the disk, the first that can be opened. Undefined if nothing is recognised;
 * EINVAL if the disk is ambivalent.
 */
export function chooseSighting(recognition: Recognition, name: string): Sighting | undefined {
  if (recognition.ambivalent) throw ambivalence(recognition, name);
  const { seen } = recognition;
  return seen.find(({ kind }) => kind.role === 'filesystem' && kind.open !== undefined) ?? seen[0];
}
