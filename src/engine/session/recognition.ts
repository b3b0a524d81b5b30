/**
 * What is on a disk, where several kinds may seem to be: the rules of libblkid's safe probing (util-linux 2.38).
 *
 * All kinds are looked for, in a fixed order. What holds other disks or is encrypted ends the search: filesystems
 * that shine through it are its contents. Else, where there is more than one kind and not all of them are such as
 * share a disk by design, nobody can say which one is meant: the disk is ambivalent. A disk as small as a floppy is
 * the first kind seen; beside that, only kinds which share disks with it are looked for there, since one of them may
 * be what can be opened.
 */
import { endsCall, GuestfsError } from '../../base/index.js';
import { type Disk, type ProbeContext, type Probed, plainDisk } from '../../disk/index.js';
import { kinds, type LayerKind } from './kinds.js';
import { ProbeWindow } from './window.js';

/** One kind that is seen on a disk. */
export interface Sighting {
  readonly kind: LayerKind;
  readonly probed: Probed;
}

/** All that is seen on a disk. */
export interface Recognition {
  /** In the order of the kinds. The first one gives the disk its name. */
  readonly seen: readonly Sighting[];
  /** Whether the kinds that are seen exclude each other, so that the disk has no name. */
  readonly ambivalent: boolean;
  /** Why some kinds could not be looked for. */
  readonly unread: GuestfsError | undefined;
}

/** Nothing is on a disk that has no more bytes than an extended partition. */
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
 * Looks at a disk. Where it cannot be read and nothing is seen on what can, this throws the disk's own error.
 * What is left out of the context is as of a whole disk without partitions.
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

/** The words for all kinds that are seen: `ext4 and xfs`. */
export function namesOf({ seen }: Recognition): string {
  return seen.map(({ probed }) => probed.type).join(' and ');
}

/** What the disk is taken for; undefined for nothing known, and where nobody can say. */
export function identityOf(recognition: Recognition): Probed | undefined {
  return recognition.ambivalent ? undefined : recognition.seen[0]?.probed;
}

/** The error that an ambivalent disk is to whoever wants its contents; EINVAL, as mount(8) has it. */
export function ambivalence(recognition: Recognition, name: string): GuestfsError {
  return new GuestfsError(
    'EINVAL',
    `${name}: has signatures of ${namesOf(recognition)}: mount it with the type that is meant (mount_vfs)`,
  );
}

/**
 * Which of the kinds is to be opened: of those that share the disk, the first that can be. Undefined where nothing is
 * seen; EINVAL where the disk is ambivalent.
 */
export function chooseSighting(recognition: Recognition, name: string): Sighting | undefined {
  if (recognition.ambivalent) throw ambivalence(recognition, name);
  const { seen } = recognition;
  return seen.find(({ kind }) => kind.role === 'filesystem' && kind.open !== undefined) ?? seen[0];
}
