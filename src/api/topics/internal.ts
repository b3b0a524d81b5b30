/**
 * Calls that are no actions of the API: the handle's calls to a backend for its own methods, and procedures of
 * guestfsd that clients call for their own actions. No caller sees them, so they have no texts.
 */
import type { ImageCheck } from '../../formats/index.js';
import { type ArgumentType, gives, type OptionType, type Parameter, type Result } from '../action.js';
import type { CarriedCall } from '../backend.js';
import type { DirectoryPage } from '../directory-page.js';
import type { ResizedImage } from '../image-maintenance.js';
import type { MadeFilesystem } from '../make-filesystem.js';
import type { OsInfo } from '../os-info.js';
import type { Unreadable } from '../unreadable.js';
import type { TreeListing } from '../walk.js';

/** A result with a shape of its own, which crosses no wire. */
export interface ShapedResult<Shape = unknown> {
  readonly type: 'shaped';
  readonly __shape?: Shape;
}

/** One internal call. */
export interface InternalCall {
  readonly args: readonly Parameter[];
  readonly options?: Readonly<Record<string, { readonly type: OptionType }>>;
  readonly result: Result | ShapedResult;
  /** guestfsd's procedure number; without one, each backend has its own way. */
  readonly proc?: number;
  /** As of an action. */
  readonly by?: 'table';
}

const of = <const T extends ArgumentType, const N extends string>(type: T, name: N): Parameter<N, T> => ({
  name,
  type,
});
const shaped = <Shape>(): ShapedResult<Shape> => ({ type: 'shaped' });

const path = of('pathname', 'path');
const names = of('filenameList', 'names');
const device = of('mountable', 'device');
const records = of('fileOut', 'filename');

export const internal = {
  /** Behind the handle's `walk`. */
  internal_walk: { args: [of('pathname', 'directory')], result: shaped<TreeListing>() },
  /** Behind the handle's `walkInParts`: parts of the listing, as bytes. */
  internal_walk_out: { args: [of('pathname', 'directory'), records], result: gives.nothing },
  /** Behind `opendir` and the handle's `walkEntries`: entries behind a name, or the first ones. */
  internal_directory_page: {
    args: [of('pathname', 'directory'), of('string', 'after'), of('int', 'limit'), of('bool', 'stats')],
    result: shaped<DirectoryPage>(),
  },
  /** Behind the handle's `unreadable`. */
  internal_unreadable: { args: [], result: shaped<readonly Unreadable[]>() },
  /** Behind the handle's `fork`: the calls that make another session the same. */
  internal_session: { args: [], result: shaped<readonly CarriedCall[]>() },
  /**
   * The last inspection of another session, as `internal_session` has it, in the place of an inspection of this session's
   * own. Gives the roots. A backend that cannot take it inspects.
   */
  internal_inspection: { args: [of('string', 'inspection')], result: gives.strings },
  /** Behind the handle's `osInfo`: what the last inspection found on a root. */
  internal_os_info: { args: [of('mountable', 'root')], result: shaped<OsInfo>() },
  /** Behind the handle's `zipStream`: patterns of what is left out, and a level from 0 to 9. */
  internal_zip_out: {
    args: [of('pathname', 'directory'), records, of('stringList', 'excludes'), of('int', 'level')],
    result: gives.nothing,
  },
  /** Behind `makeFilesystem`: a `FilesystemRequest` as JSON. */
  internal_make_filesystem: { args: [of('string', 'request')], result: shaped<MadeFilesystem>() },
  /** Behind `checkImage`: an `ImageCheckRequest` as JSON. */
  internal_check_image: { args: [of('string', 'request')], result: shaped<ImageCheck>() },
  /** Behind `resizeImage`: an `ImageResizeRequest` as JSON. */
  internal_resize_image: { args: [of('string', 'request')], result: shaped<ResizedImage>() },
  /** 0 there, 1 not there, 2 no such group. */
  internal_feature_available: { args: [of('string', 'group')], result: gives.int, proc: 458, by: 'table' },
  /** Syncs and unmounts everything before the appliance is ended. */
  internal_autosync: { args: [], result: gives.nothing, proc: 282 },
  internal_filesystem_walk: { args: [device, records], result: gives.nothing, proc: 466 },
  internal_find_inode: { args: [device, of('int64', 'inode'), records], result: gives.nothing, proc: 470 },
  internal_journal_get: { args: [records], result: gives.nothing, proc: 408 },
  internal_list_rpm_applications: { args: [], result: gives.structs('application2'), proc: 510 },
  internal_lstatnslist: { args: [path, names], result: gives.structs('statns'), proc: 423 },
  internal_lxattrlist: { args: [path, names], result: gives.structs('xattr'), proc: 205 },
  internal_parse_mountable: {
    args: [of('mountable', 'mountable')],
    result: gives.struct('internal_mountable'),
    proc: 396,
  },
  /** The entries as a file of XDR structs. A daemon before 1.49 has `readdir` instead. */
  internal_readdir: { args: [of('pathname', 'dir'), records], result: gives.nothing, proc: 511 },
  internal_readlinklist: { args: [path, names], result: gives.strings, proc: 206 },
  /** Takes a file and stops after `count` bytes, for tests of cancellation. */
  internal_rhbz914931: {
    args: [of('fileIn', 'filename'), of('int', 'count')],
    result: gives.nothing,
    proc: 397,
  },
  /** Uploads into the daemon's own temporary directory, with a mode. */
  internal_upload: {
    args: [of('fileIn', 'filename'), of('string', 'tmpname'), of('int', 'mode')],
    result: gives.nothing,
    proc: 413,
  },
  internal_write: { args: [path, of('bufferIn', 'content')], result: gives.nothing, proc: 246 },
  internal_write_append: { args: [path, of('bufferIn', 'content')], result: gives.nothing, proc: 290 },
  internal_yara_scan: { args: [path, records], result: gives.nothing, proc: 474 },
  /** The predecessor of `internal_readdir` in daemons up to 1.48. */
  readdir: { args: [of('pathname', 'dir')], result: gives.structs('dirent'), proc: 138 },
} as const satisfies Readonly<Record<string, InternalCall>>;

/** The name of an internal call. */
export type InternalName = keyof typeof internal;
