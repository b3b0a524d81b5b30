/** The mount options of Linux's isofs (mount(8), "Mount options for iso9660"), with its defaults. */
import { UnsupportedError } from '../../base/index.js';
import {
  anyText,
  flag,
  type GivenOptions,
  literal,
  type MountOptionTable,
  oneOf,
  option,
  takeOptions,
} from '../mount-options.js';

export interface IsoOptions {
  readonly rockRidge: boolean;
  readonly joliet: boolean;
  /** Lower case without `;1` (`normal`), or names as stored (`off`). */
  readonly translateNames: boolean;
  /** RISC OS names get the file type, from the system use area, at their end. */
  readonly acornNames: boolean;
  /** The character set for Joliet's names. Other names are bytes. */
  readonly charset: string;
  /** Whether names are found in any case; undefined: only with Joliet. */
  readonly relaxed: boolean | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Permissions for files and directories without stored ones. */
  readonly fileMode: number;
  readonly directoryMode: number;
  /** The two modes above, and no others. */
  readonly overrideModes: boolean;
  readonly showAssociated: boolean;
  readonly hide: boolean;
  readonly decompress: boolean;
}

type Draft = { -readonly [K in keyof IsoOptions]: IsoOptions[K] };

const identity = literal(0x7fffffff);
const permissions = literal(0o7777);

const table: MountOptionTable<Draft> = {
  norock: option(flag, (draft) => (draft.rockRidge = false)),
  nojoliet: option(flag, (draft) => (draft.joliet = false)),
  map: option(oneOf('n', 'normal', 'o', 'off', 'a', 'acorn'), (draft, map) => {
    draft.acornNames = map.startsWith('a');
    draft.translateNames = !map.startsWith('o');
  }),
  check: option(
    oneOf('r', 'relaxed', 's', 'strict'),
    (draft, check) => (draft.relaxed = check.startsWith('r')),
  ),
  uid: option(identity, (draft, uid) => (draft.uid = uid)),
  gid: option(identity, (draft, gid) => (draft.gid = gid)),
  // Permissions too are octal with a leading zero, and decimal without.
  mode: option(permissions, (draft, mode) => (draft.fileMode = mode)),
  dmode: option(permissions, (draft, mode) => (draft.directoryMode = mode)),
  // A drive reports the sessions of its disc. For an image, the kernel knows none and takes the first.
  session: option(literal(98)),
  sbsector: option(literal(0x7fffffff), (_draft, sector) => {
    if (sector > 0) throw new UnsupportedError('iso9660', [`sbsector=${sector}`]);
  }),
  overriderockperm: option(flag, (draft) => (draft.overrideModes = true)),
  showassoc: option(flag, (draft) => (draft.showAssociated = true)),
  hide: option(flag, (draft) => (draft.hide = true)),
  unhide: option(flag, (draft) => (draft.hide = false)),
  nocompress: option(flag, (draft) => (draft.decompress = false)),
  utf8: option(flag),
  cruft: option(flag),
  iocharset: option(anyText, (draft, charset) => (draft.charset = charset)),
  // The size of the kernel's reads.
  block: option(oneOf('512', '1024', '2048')),
};

/** Options by name as IsoOptions. An unknown name or a bad value is EINVAL. */
export function parseOptions(given: GivenOptions): IsoOptions {
  return takeOptions<Draft>('iso9660', table, given, {
    rockRidge: true,
    joliet: true,
    translateNames: true,
    acornNames: false,
    charset: 'utf8',
    relaxed: undefined,
    uid: undefined,
    gid: undefined,
    fileMode: 0o555,
    directoryMode: 0o555,
    overrideModes: false,
    showAssociated: false,
    hide: false,
    decompress: true,
  });
}
