/**
 * `inspect_os`: examines each filesystem by itself, then combines those of one system. Nothing is mounted in the
 * caller's tree.
 */
import { endsCall, GuestfsError, type PlainError, plainError, restoreError } from '../base/index.js';
import { isSubvolume, subvolumePrefix } from '../formats/index.js';
import { MountTable } from '../vfs/index.js';
import { type Facts, mergeFacts, type Version } from './facts.js';
import { InspectedGuest } from './guest.js';
import type { Candidate, InspectionHost } from './host.js';
import { type Finding, findRole } from './roles.js';

/** A filesystem that could not be examined, and why. */
interface Overlooked extends Candidate {
  readonly error: GuestfsError;
}

/** An inspection as plain data, which can be text. */
export interface PlainInspection {
  readonly guests: readonly { readonly root: string; readonly facts: Facts }[];
  readonly overlooked: readonly (Candidate & { readonly error: PlainError })[];
  readonly looked: boolean;
}

/** What one inspection found. */
export class Inspection {
  /** In the order of the filesystems they were found on. */
  readonly guests: readonly InspectedGuest[];
  /** Filesystems that may hold further systems, or parts of the systems found. */
  readonly overlooked: readonly Overlooked[];
  readonly #looked: boolean;

  private constructor(guests: readonly InspectedGuest[], overlooked: readonly Overlooked[], looked: boolean) {
    this.guests = guests;
    this.overlooked = overlooked;
    this.#looked = looked;
  }

  /** The result before any inspection: nothing. */
  static readonly none = new Inspection([], [], false);

  /** Examines all filesystems. An unreadable one is left out, and is listed in {@link overlooked}. */
  static run(host: InspectionHost): Inspection {
    const findings: Finding[] = [];
    const overlooked: Overlooked[] = [];
    for (const candidate of host.candidates()) {
      const found = lookAt(candidate, host);
      if ('role' in found) findings.push(found);
      else overlooked.push(found);
    }
    const settled = mergeUsr(dropSnapshots(dropBsdShadow(mergeCoreOs(findings)), host));
    return new Inspection(
      settled
        .filter(({ role }) => role === 'root')
        .map(({ mountable, facts }) => new InspectedGuest(mountable, facts)),
      overlooked,
      findings.length > 0,
    );
  }

  /** The inspection as plain data; {@link restore} is the way back. */
  get plain(): PlainInspection {
    return {
      guests: this.guests.map(({ root, facts }) => ({ root, facts })),
      overlooked: this.overlooked.map((each) => ({ ...each, error: plainError(each.error) })),
      looked: this.#looked,
    };
  }

  /** The inspection that plain data stands for. */
  static restore({ guests, overlooked, looked }: PlainInspection): Inspection {
    return new Inspection(
      guests.map(({ root, facts }) => new InspectedGuest(root, facts)),
      overlooked.map((each) => ({ ...each, error: restoreError(each.error) })),
      looked,
    );
  }

  /** The root filesystems: the result of `inspect_os` and `inspect_get_roots`. */
  get roots(): readonly string[] {
    return this.guests.map(({ root }) => root);
  }

  /** The operating system on a root filesystem. EINVAL for a filesystem that is not among {@link roots}. */
  guest(root: string): InspectedGuest {
    if (!this.#looked) throw new GuestfsError('EINVAL', 'no inspection data: call inspect_os first');
    const guest = this.guests.find((each) => each.root === root);
    if (guest === undefined) {
      throw new GuestfsError(
        'EINVAL',
        `${root}: root device not found: only call this function with a root device previously returned by inspect_os`,
      );
    }
    return guest;
  }
}

function lookAt(candidate: Candidate, host: InspectionHost): Finding | Overlooked {
  const { mountable, type } = candidate;
  if (type === 'swap') return { mountable, role: 'swap', facts: { fstab: [] } };
  const mounts = new MountTable((error) => host.warn?.(`${mountable}: ${error.message}`));
  try {
    const { fileSystem, release } = host.open(candidate);
    mounts.mount(fileSystem, { source: mountable, mountpoint: '/', readonly: true, release });
    return findRole(mounts.tree, mountable, host);
  } catch (thrown) {
    // A damaged or foreign filesystem must not hide the systems on others. Other errors are bugs, or the caller's
    // cancellation.
    if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
    return { ...candidate, error: thrown };
  } finally {
    mounts.umountAll();
  }
}

const isCoreOs = ({ facts }: Finding): boolean => facts.distro === 'coreos';

/** Container Linux has two /usr. The one in use is assumed to be the newer. */
function mergeCoreOs(findings: readonly Finding[]): readonly Finding[] {
  const [root, ...more] = findings.filter((finding) => finding.role === 'root' && isCoreOs(finding));
  if (root === undefined) return findings;
  if (more.length > 0) throw new GuestfsError('EINVAL', 'multiple CoreOS root filesystems found');
  const usrs = findings.filter((finding) => finding.role === 'usr' && isCoreOs(finding));
  const [newest] = usrs.toSorted((a, b) => compareVersions(b.facts.version, a.facts.version));
  if (newest === undefined) return findings;
  mergeFacts(root.facts, newest.facts);
  // libguestfs puts the root first and reverses the others. This order decides which root is asked about first.
  const others = findings.filter((finding) => finding !== root && !usrs.includes(finding));
  return [root, ...others.toReversed()];
}

function compareVersions(a: Version | undefined, b: Version | undefined): number {
  return (a?.major ?? 0) - (b?.major ?? 0) || (a?.minor ?? 0) - (b?.minor ?? 0);
}

/**
 * A BSD's root appears twice: as a partition in the slice, and as the slice itself, which begins with it. The slice
 * is dropped.
 */
function dropBsdShadow(findings: readonly Finding[]): readonly Finding[] {
  const isBsd = ({ role, facts }: Finding): boolean =>
    role === 'root' && ['freebsd', 'netbsd', 'openbsd'].includes(facts.type ?? '');
  const slice = findings.find(
    (finding) => isBsd(finding) && /^\/dev\/(?:h|s|v)d[a-z][1-4]$/.test(finding.mountable),
  );
  const shadowed = findings.some(
    (finding) => finding !== slice && isBsd(finding) && finding.facts.type === slice?.facts.type,
  );
  return shadowed ? findings.filter((finding) => finding !== slice) : findings;
}

/**
 * A snapshot of a root is no further system, and a warning tells how many there are. SUSE keeps dozens of them as
 * subvolumes, and the one that boots is what the filesystem shows where no subvolume is named. Elsewhere snapper keeps
 * them in a subvolume inside of the root's own, or beside that.
 */
function dropSnapshots(findings: readonly Finding[], host: InspectionHost): readonly Finding[] {
  const roots = findings.filter(({ role }) => role === 'root');
  const snapshots = new Map<Finding, number>();
  const dropped = new Set<Finding>();
  for (const snapshot of roots) {
    const root = roots.find(
      (other) =>
        isSnapshotOf(snapshot.mountable, other.mountable) && isSameSystem(snapshot.facts, other.facts),
    );
    if (root === undefined) continue;
    dropped.add(snapshot);
    snapshots.set(root, (snapshots.get(root) ?? 0) + 1);
  }
  for (const [{ mountable }, count] of snapshots)
    host.warn?.(
      `${mountable}: ${count === 1 ? 'a snapshot' : `${count} snapshots`} of this system ${count === 1 ? 'is' : 'are'} left out: ` +
        'what boots is here',
    );
  return findings.filter((finding) => !dropped.has(finding));
}

/** Whether the places are those of a root and its snapshot. */
function isSnapshotOf(mountable: string, root: string): boolean {
  if (!isSubvolume(root)) return mountable.startsWith(`${subvolumePrefix}${root}/`);
  const beside = root.slice(0, root.lastIndexOf('/'));
  return ['.snapshots', '@.snapshots', '@snapshots'].some((name) =>
    [root, beside].some((place) => {
      const inside = `${place}/${name}/`;
      return mountable.startsWith(inside) && /^\d+\/snapshot$/.test(mountable.slice(inside.length));
    }),
  );
}

function isSameSystem(one: Facts, other: Facts): boolean {
  return (
    one.type === other.type &&
    one.distro === other.distro &&
    one.productName === other.productName &&
    compareVersions(one.version, other.version) === 0 &&
    one.arch === other.arch
  );
}

/** Adds to each Linux root the facts of its separate /usr, if its fstab names one that was found. */
function mergeUsr(findings: readonly Finding[]): readonly Finding[] {
  for (const { role, facts } of findings) {
    if (role !== 'root' || facts.distro === 'coreos') continue;
    const usr = findings.find((other) => other.role === 'usr' && isNamedIn(facts, other.mountable));
    if (usr !== undefined) mergeFacts(facts, usr.facts);
  }
  return findings;
}

function isNamedIn({ fstab }: Facts, mountable: string): boolean {
  return fstab.some((entry) => entry.mountable === mountable);
}
