/** A directory of the host as entries of a new filesystem. What links lead to is not followed. */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import {
  decodeText,
  encodeText,
  GuestfsError,
  hostError,
  typeOfMode,
  UnsupportedError,
  work,
} from '../../../base/index.js';
import { platform } from '../../../disk/index.js';
import type { ContentFacts, ContentSource, ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();
const billion = 1_000_000_000n;
const permissionBits = 0o7777;

/** A path with escapes of `decodeText` as the host has it. */
const onHost = (path: string): Buffer => Buffer.from(encodeText(path));

export function look(path: string): BigIntStats {
  try {
    return lstatSync(onHost(path), { bigint: true });
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

export function namesIn(path: string): string[] {
  try {
    return readdirSync(onHost(path), { encoding: 'buffer' }).map((name) => decodeText(name));
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

export function targetOf(path: string): string {
  try {
    return decodeText(readlinkSync(onHost(path), { encoding: 'buffer' }));
  } catch (thrown) {
    throw hostError(path, thrown);
  }
}

/** The contents of a file, which must stay as it is until all is done. */
export function contentsOf(path: string, before: BigIntStats = look(path)): ContentSource {
  return {
    sizeInBytes: Number(before.size),
    open() {
      const now = look(path);
      const isSame = (['dev', 'ino', 'size', 'mtimeNs'] as const).every((key) => now[key] === before[key]);
      if (!isSame) throw new GuestfsError('ESTALE', `${path}: was changed while it was read`, { path });
      return platform().origin(path).open({ writable: false });
    },
  };
}

/** Major and minor number: Linux's dev_t. */
export function deviceOf(number: bigint): readonly [number, number] {
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xffff_f000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffff_ff00n);
  return [Number(major), Number(minor)];
}

function factsOf(path: string, stats: BigIntStats): ContentFacts {
  const type = typeOfMode(Number(stats.mode));
  if (type === 'unknown') throw new UnsupportedError(path, ['files of that type']);
  const seconds = stats.mtimeNs / billion - (stats.mtimeNs % billion < 0n ? 1n : 0n);
  return {
    type,
    permissions: Number(stats.mode) & permissionBits,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    modified: { seconds: Number(seconds), nanoseconds: Number(stats.mtimeNs - seconds * billion) },
    xattrs: noXattrs,
    ...(type === 'file' ? { contents: contentsOf(path, stats) } : {}),
    ...(type === 'symlink' ? { target: targetOf(path) } : {}),
    ...(type === 'character' || type === 'block' ? { device: deviceOf(stats.rdev) } : {}),
  };
}

/** Adds all that is in a directory, and the attributes of the directory itself. */
export function addDirectory(call: Call, tree: ContentTree, directory: string): void {
  tree.put('', factsOf(directory, look(directory)));
  /** Of each file with several names, the first. */
  const linked = new Map<string, string>();
  const waiting = [''];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const name of namesIn(`${directory}/${below}`).sort()) {
      call.checkpoint();
      work.entries.spend(1);
      const member = below === '' ? name : `${below}/${name}`;
      const path = `${directory}/${member}`;
      const stats = look(path);
      const facts = factsOf(path, stats);
      const identity = `${stats.dev}/${stats.ino}`;
      const first = facts.type === 'directory' || stats.nlink < 2n ? undefined : linked.get(identity);
      if (first !== undefined) {
        tree.link(member, first, facts.modified);
        continue;
      }
      linked.set(identity, member);
      tree.put(member, facts);
      if (facts.type === 'directory') waiting.push(member);
    }
  }
}
