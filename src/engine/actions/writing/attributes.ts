/** Modes, owners, times, extended attributes, access lists and capabilities, set. */
import { encodeText, GuestfsError, systemError, UnsupportedError } from '../../../base/index.js';
import { currentTime, type Time } from '../../../fs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { parseAcl } from '../../words/acl-text.js';
import { parseCapabilities } from '../../words/capabilities-text.js';
import { attributeLetters } from '../ext.js';
import { checkMode, checkNotNegative, treeWriter } from './writer.js';

/** A number of an owner or a group; -1 leaves it as it is. */
function owner(call: Call, path: string, uid: number, gid: number, followLast: boolean): void {
  const stat = followLast ? call.session.tree.stat(path) : call.session.tree.lstat(path);
  const [user, group] = [uid === -1 ? stat.uid : uid >>> 0, gid === -1 ? stat.gid : gid >>> 0];
  treeWriter(call).chown(path, user, group, { followLast });
}

/** Nanoseconds that stand for something else: `UTIME_NOW` and `UTIME_OMIT`, as libguestfs has them. */
const timeNow = -1;
const timeKept = -2;

function timeOf(seconds: number, nanoseconds: number, now: Time): Time | undefined {
  if (nanoseconds === timeNow) return now;
  if (nanoseconds === timeKept) return undefined;
  if (nanoseconds < 0 || nanoseconds > 999_999_999)
    throw new GuestfsError('EINVAL', `${nanoseconds}: expecting -2 to 999999999 nanoseconds`);
  return { seconds, nanoseconds };
}

/** Of a link its own times. */
function setTimes(call: Call, path: string, ...times: readonly [number, number, number, number]): void {
  const now = currentTime();
  const [accessed, modified] = [timeOf(times[0], times[1], now), timeOf(times[2], times[3], now)];
  if (accessed === undefined && modified === undefined) return void call.session.tree.lstat(path);
  treeWriter(call).setTimes(
    path,
    { ...(accessed ? { accessed } : {}), ...(modified ? { modified } : {}) },
    { followLast: false },
  );
}

function setAttribute(
  call: Call,
  name: string,
  value: string,
  length: number,
  path: string,
  followLast: boolean,
): void {
  checkNotNegative(length, 'vallen', path);
  treeWriter(call).setXattr(path, name, encodeText(value).subarray(0, length), { followLast });
}

/** Exported for the compiler. */
export interface AttributeCopy {
  readonly all?: boolean | undefined;
  readonly mode?: boolean | undefined;
  readonly xattributes?: boolean | undefined;
  readonly ownership?: boolean | undefined;
}

/** As in libguestfs, the destination keeps no attribute that the source has not. */
function copyAttributes(call: Call, source: string, target: string, wanted: AttributeCopy): void {
  const { tree } = call.session;
  const all = wanted.all ?? false;
  const from = tree.resolve(source);
  const stat = tree.statOf(from);
  const to = tree.resolve(target);
  const writer = treeWriter(call);
  if (all || wanted.mode === true) writer.chmodPlace(to, stat.mode, target);
  if (all || wanted.ownership === true) writer.chownPlace(to, stat.uid, stat.gid, target);
  if (!all && wanted.xattributes !== true) return;
  const wantedXattrs = from.fileSystem.xattrs(from.inode);
  for (const name of [...to.fileSystem.xattrs(to.inode).keys()])
    if (!wantedXattrs.has(name)) writer.setXattrOf(to, name, undefined, target);
  for (const [name, value] of wantedXattrs) writer.setXattrOf(to, name, value, target);
}

function listName(type: string): string {
  if (type === 'access' || type === 'default') return `system.posix_acl_${type}`;
  throw new GuestfsError('EINVAL', `${type}: expecting 'access' or 'default'`);
}

/** Exported for the compiler. */
export interface ClearOption {
  readonly clear?: boolean | undefined;
}

/** Letters whose flags can be set on files and directories, and those that only a directory can have. */
const plainLetters = 'AacdiSstu';
const directoryLetters = 'DTP';
/** Those that change more than the flag. */
const deepLetters = 'jeFxCm';

/** The flags of `chattr`, by the letters of its words. */
function setExtAttributes(call: Call, path: string, letters: string, { clear = false }: ClearOption): void {
  for (const letter of letters) {
    if (!/[A-Za-z]/.test(letter)) throw new GuestfsError('EINVAL', `unknown file attribute '${letter}'`);
    if (letters.indexOf(letter) !== letters.lastIndexOf(letter))
      throw new GuestfsError('EINVAL', `duplicate file attribute '${letter}'`);
  }
  const { fileSystem, inode, type } = call.session.tree.resolve(path);
  if (type !== 'file' && type !== 'directory') throw systemError('EOPNOTSUPP', path);
  if (fileSystem.attributeFlags === undefined) throw systemError('ENOTTY', path);
  let bits = 0;
  for (const letter of letters) {
    if (deepLetters.includes(letter))
      throw new UnsupportedError(path, [`the attribute '${letter}'`], { elsewhere: 'appliance', path });
    const [bit] = attributeLetters.find(([, each]) => each === letter) ?? [];
    if (bit === undefined || !(plainLetters + directoryLetters).includes(letter))
      throw new GuestfsError('EINVAL', `${path}: the attribute '${letter}' cannot be set`, { path });
    if (type === 'file' && directoryLetters.includes(letter)) throw systemError('EOPNOTSUPP', path);
    bits |= bit;
  }
  const present = fileSystem.attributeFlags(inode);
  treeWriter(call).setFlags(path, clear ? present & ~bits : present | bits);
}

export const attributeWritingHandlers = {
  chmod(call, mode, path) {
    checkMode(mode, path);
    treeWriter(call).chmod(path, mode);
  },
  chown: (call, uid, gid, path) => owner(call, path, uid, gid, true),
  lchown: (call, uid, gid, path) => owner(call, path, uid, gid, false),
  utimens: setTimes,
  setxattr: (call, name, value, length, path) => setAttribute(call, name, value, length, path, true),
  lsetxattr: (call, name, value, length, path) => setAttribute(call, name, value, length, path, false),
  removexattr: (call, name, path) => treeWriter(call).setXattr(path, name, undefined),
  lremovexattr: (call, name, path) => treeWriter(call).setXattr(path, name, undefined, { followLast: false }),
  acl_set_file(call, path, type, text) {
    const name = listName(type);
    treeWriter(call).setXattr(path, name, parseAcl(text));
  },
  acl_delete_def_file(call, path) {
    const place = call.session.tree.resolve(path);
    const name = listName('default');
    if (place.type !== 'directory' || place.fileSystem.xattrs(place.inode).has(name))
      treeWriter(call).setXattr(path, name, undefined);
  },
  cap_set_file: (call, path, text) =>
    treeWriter(call).setXattr(path, 'security.capability', parseCapabilities(text)),
  copy_attributes: copyAttributes,
  set_e2attrs: setExtAttributes,
  set_e2generation: (call, path, generation) => treeWriter(call).setGeneration(path, generation),
} satisfies TopicHandlers;
