/** Members of a tar archive as entries of a new filesystem. Contents stay where they are in the archive. */
import { CorruptError, GuestfsError, systemError } from '../../../base/index.js';
import { type Disk, MappedDisk, SliceDisk } from '../../../disk/index.js';
import { type StoredMember, type TarInput, type TarPart, tarMembers } from '../../../formats/index.js';
import type { ContentFacts, ContentSource, ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import { memberAccessLists, memberAttributes } from '../../words/member-attributes.js';

const largestId = 0xffff_ffff;
const everything = { xattrs: true, selinux: true };

/** A member has up to four headers in a row, of a block each or a little more: one read gets them all. */
const readAhead = 8192;

/** Reads an archive on, and knows where it is. */
class ArchiveInput implements TarInput {
  readonly #archive: Disk;
  /** What was read ahead, where it lies in the archive, and how much it is. */
  readonly #ahead = new Uint8Array(readAhead);
  #aheadStart = 0;
  #aheadLength = 0;
  position = 0;

  constructor(archive: Disk) {
    this.#archive = archive;
  }

  read(into: Uint8Array): number {
    const count = Math.min(into.length, this.#archive.size - this.position);
    const wanted = into.subarray(0, count);
    if (count > readAhead / 2) this.#archive.read(wanted, this.position);
    else wanted.set(this.#bytes(count));
    this.position += count;
    return count;
  }

  /** The next few bytes. */
  #bytes(count: number): Uint8Array {
    let within = this.position - this.#aheadStart;
    if (within < 0 || within + count > this.#aheadLength) {
      const length = Math.min(readAhead, this.#archive.size - this.position);
      this.#aheadLength = 0;
      this.#archive.read(this.#ahead.subarray(0, length), this.position);
      this.#aheadStart = this.position;
      this.#aheadLength = length;
      within = 0;
    }
    return this.#ahead.subarray(within, within + count);
  }

  skip(length: number): boolean {
    if (length > this.#archive.size - this.position) return false;
    this.position += length;
    return true;
  }
}

/** The contents of a member that begin at an offset of the archive. */
function contentsAt(archive: Disk, { sizeInBytes, parts }: StoredMember, offset: number): ContentSource {
  const [first] = parts;
  if (parts.length === 1 && first?.[0] === 0 && first[1] === sizeInBytes)
    return { sizeInBytes, open: () => new SliceDisk(archive, offset, sizeInBytes) };
  const stored: { readonly part: TarPart; readonly at: number }[] = [];
  let at = offset;
  for (const part of parts) {
    if (part[1] > 0) stored.push({ part, at });
    at += part[1];
  }
  return { sizeInBytes, open: () => sparseFile(archive, sizeInBytes, stored) };
}

function sparseFile(
  archive: Disk,
  size: number,
  stored: readonly { readonly part: TarPart; readonly at: number }[],
): Disk {
  return new MappedDisk(
    size,
    (offset) => {
      // The first part that ends behind the offset.
      let low = 0;
      let high = stored.length;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const [start, length] = stored[middle]?.part ?? [0, 0];
        if (start + length <= offset) low = middle + 1;
        else high = middle;
      }
      const found = stored[low];
      if (found === undefined) return { kind: 'hole', length: size - offset };
      const [start, length] = found.part;
      if (offset < start) return { kind: 'hole', length: start - offset };
      const skip = offset - start;
      return { kind: 'data', length: length - skip, disk: archive, offset: found.at + skip };
    },
    { name: 'sparse file of a tar archive', owns: [] },
  );
}

function factsOf(member: StoredMember, contents: ContentSource | undefined): ContentFacts {
  const { name, type, mode, uid, gid, linkName, modified } = member;
  if (type === 'hardlink') throw new GuestfsError('EINVAL', `${name}: a link is no file of its own`);
  if (!(uid >= 0 && uid <= largestId && gid >= 0 && gid <= largestId))
    throw new CorruptError('tar archive', 'has an owner that no file can have', { uid, gid });
  if (type === 'symlink' && linkName === '') throw systemError('ENOENT', name);
  return {
    type,
    permissions: mode,
    uid,
    gid,
    modified,
    xattrs: memberAttributes(member, everything),
    accessLists: memberAccessLists(member),
    ...(contents === undefined ? {} : { contents }),
    ...(type === 'symlink' ? { target: linkName } : {}),
    ...(type === 'character' || type === 'block'
      ? { device: [member.deviceMajor, member.deviceMinor] as const }
      : {}),
  };
}

/** A member, and its contents. */
export interface Located {
  readonly member: StoredMember;
  readonly contents: ContentSource | undefined;
}

/** The members of an archive, with their contents where they lie. */
export function* located(call: Call, archive: Disk): Generator<Located, void> {
  const input = new ArchiveInput(archive);
  for (const member of tarMembers(input)) {
    call.progress(input.position, archive.size);
    const contents = member.type === 'file' ? contentsAt(archive, member, input.position) : undefined;
    yield { member, contents };
  }
}

/** Adds members to a tree. Links may come before what they lead to; ENOENT for one that leads to nothing. */
export function addMembers(tree: ContentTree, members: Iterable<Located>): void {
  const early: StoredMember[] = [];
  for (const { member, contents } of members) {
    if (member.type !== 'hardlink') tree.put(member.name, factsOf(member, contents));
    else if (!tree.link(member.name, member.linkName, member.modified)) early.push(member);
  }
  for (const { name, linkName, modified } of early)
    if (!tree.link(name, linkName, modified))
      throw systemError('ENOENT', name, { remark: `it is a link to ${linkName}` });
}
