/**
 * The daemon's procedures that are no actions of the API: the library calls them for actions that it does itself.
 * As tables of the same shape, less what only users read.
 */
import { type Action, actions, isActionName, type Parameter } from '../../api/index.js';
import type { WireAction } from './codec.js';

type Arguments = readonly Parameter[];

const pathname = (name: string) => ({ name, type: 'pathname' }) as const;
const string = (name: string) => ({ name, type: 'string' }) as const;
const mountable = (name: string) => ({ name, type: 'mountable' }) as const;
const filenames = { name: 'names', type: 'filenameList' } as const;
const content = { name: 'content', type: 'bufferIn' } as const;
const fileIn = { name: 'filename', type: 'fileIn' } as const;
const fileOut = { name: 'filename', type: 'fileOut' } as const;

const none = { type: 'none' } as const;
const structs = (struct: string) => ({ type: 'structList', struct }) as const;

const procedure = <const P extends number>(proc: P, args: Arguments, result: Action['result'] = none) => ({
  proc,
  args,
  result,
});

export const internalActions = {
  /** Syncs and unmounts all before the appliance is ended. */
  internal_autosync: procedure(282, []),
  /** 0 there, 1 not there, 2 no such group. */
  internal_feature_available: procedure(458, [string('group')], { type: 'int' }),
  internal_filesystem_walk: procedure(466, [mountable('device'), fileOut]),
  internal_find_inode: procedure(470, [mountable('device'), { name: 'inode', type: 'int64' }, fileOut]),
  internal_journal_get: procedure(408, [fileOut]),
  internal_list_rpm_applications: procedure(510, [], structs('application2')),
  internal_lstatnslist: procedure(423, [pathname('path'), filenames], structs('statns')),
  internal_lxattrlist: procedure(205, [pathname('path'), filenames], structs('xattr')),
  internal_parse_mountable: procedure(396, [mountable('mountable')], {
    type: 'struct',
    struct: 'internal_mountable',
  }),
  /** The entries as a file of XDR structs. A daemon before 1.49 has `readdir` instead. */
  internal_readdir: procedure(511, [pathname('dir'), fileOut]),
  internal_readlinklist: procedure(206, [pathname('path'), filenames], { type: 'stringList', of: 'plain' }),
  /** Takes a file and leaves off after `count` bytes of it: for tests of cancellation. */
  internal_rhbz914931: procedure(397, [fileIn, { name: 'count', type: 'int' }]),
  /** Into the daemon's own temporary directory, with a mode. */
  internal_upload: procedure(413, [fileIn, string('tmpname'), { name: 'mode', type: 'int' }]),
  internal_write: procedure(246, [pathname('path'), content]),
  internal_write_append: procedure(290, [pathname('path'), content]),
  internal_yara_scan: procedure(474, [pathname('path'), fileOut]),
  /** What daemons up to 1.48 had in the place of `internal_readdir`. */
  readdir: procedure(138, [pathname('dir')], structs('dirent')),
} as const satisfies Readonly<Record<string, WireAction>>;

export type InternalActionName = keyof typeof internalActions;

/** The daemon's procedure of a name, of the API or internal; undefined for what the library does itself. */
export function wireAction(name: string): WireAction | undefined {
  if (isActionName(name)) {
    const action: Action = actions[name];
    // safe: its `proc` was looked at
    if (action.proc !== undefined) return action as WireAction;
  }
  return Object.hasOwn(internalActions, name)
    ? internalActions[name as InternalActionName] // safe: it is there
    : undefined;
}
