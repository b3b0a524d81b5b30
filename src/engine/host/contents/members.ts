/**
 * A file or a tree of the host, member by member, as `tar` stores it: links are stored as links, a file with several
 * names once, and sockets, which tar cannot store, are left out.
 */
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { encodeText, GuestfsError, hostError, typeOfMode, work } from '../../../base/index.js';
import { areZeroes } from '../../../disk/index.js';
import { piecesOf } from '../../session/contents.js';
import type { Call } from '../../thread/call.js';
import type { UnpackedMember } from '../unpack-tar.js';
import { contentsOf, deviceOf, look, namesIn, targetOf } from './directory.js';

/** A path of the host, and the name that it has as a member. */
interface Named {
  readonly path: string;
  readonly name: string;
}

/** The deepest nesting of directories: the kernel's longest path has no more components. */
const deepest = 4096;
const billion = 1_000_000_000n;
const noRecords: ReadonlyMap<string, string> = new Map();

/** What a caller's path names: of `.` and `..` what is in them. EINVAL for a path without a name. */
export function topOf(path: string): Named {
  try {
    statSync(Buffer.from(encodeText(path))); // a link that leads nowhere is not copied
  } catch (thrown) {
    throw hostError(path, thrown);
  }
  const name = basename(path);
  if (name === '') throw new GuestfsError('EINVAL', `${path}: must end in a name`);
  if (name === '.' || name === '..') return { path, name: '.' };
  // A trailing slash would follow a link; `link/..` must not be simplified.
  return { path: join(dirname(path), name), name };
}

/** All of a tree, each directory before what is in it. */
export function* hostMembers(call: Call, top: Named): Generator<UnpackedMember, void> {
  const linked = new Map<string, string>();
  const waiting = [{ ...top, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    call.checkpoint();
    work.entries.spend(1);
    const { path, name, depth } = next;
    const stats = look(path);
    const type = typeOfMode(Number(stats.mode));
    if (type === 'socket' || type === 'unknown') {
      call.session.warn(`${path}: a socket has no place in a tar archive and is left out`);
      continue;
    }
    const identity = `${stats.dev}/${stats.ino}`;
    const first = type === 'directory' || stats.nlink < 2n ? undefined : linked.get(identity);
    if (first === undefined && type !== 'directory' && stats.nlink > 1n) linked.set(identity, name);
    const [deviceMajor, deviceMinor] = deviceOf(stats.rdev);
    const seconds = stats.mtimeNs / billion - (stats.mtimeNs % billion < 0n ? 1n : 0n);
    yield {
      name,
      type: first === undefined ? type : 'hardlink',
      mode: Number(stats.mode) & 0o7777,
      uid: Number(stats.uid),
      gid: Number(stats.gid),
      sizeInBytes: type === 'file' ? Number(stats.size) : 0,
      modified: { seconds: Number(seconds), nanoseconds: 0 },
      linkName: first ?? (type === 'symlink' ? targetOf(path) : ''),
      deviceMajor,
      deviceMinor,
      records: noRecords,
      *contents() {
        const disk = contentsOf(path, stats).open();
        try {
          let at = 0;
          for (const bytes of piecesOf(call, disk)) {
            if (!areZeroes(bytes)) yield { at, bytes };
            at += bytes.length;
          }
        } finally {
          disk.close();
        }
      },
    };
    if (type !== 'directory') continue;
    if (depth === deepest) throw new GuestfsError('ELOOP', `${path}: directories too deep`);
    for (const child of namesIn(path).reverse())
      waiting.push({ path: `${path}/${child}`, name: `${name}/${child}`, depth: depth + 1 });
  }
}
