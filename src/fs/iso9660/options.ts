/** The mount options of Linux's isofs (mount(8), "Mount options for iso9660"), with its defaults. */
import { systemError, UnsupportedError } from '../../base/index.js';

export interface IsoOptions {
  readonly rockRidge: boolean;
  readonly joliet: boolean;
  /** Lower case and no `;1` (`normal`), or the names as they are stored (`off`). */
  readonly translateNames: boolean;
  /** Names of RISC OS, whose file types stand in the system use area, get these at their end. */
  readonly acornNames: boolean;
  /** The character set that Joliet's names are shown in. Other names are bytes anyway. */
  readonly charset: string;
  /** Whether names are found whatever their case; undefined: where Joliet is used. */
  readonly relaxed: boolean | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Permissions of files and directories that have none of their own. */
  readonly fileMode: number;
  readonly directoryMode: number;
  /** The two modes above, and no others. */
  readonly overrideModes: boolean;
  readonly showAssociated: boolean;
  readonly hide: boolean;
  readonly decompress: boolean;
}

type Draft = { -readonly [K in keyof IsoOptions]: IsoOptions[K] };
type Value = string | true;

function invalid(name: string, value: Value): never {
  throw systemError('EINVAL', `iso9660: mount option ${value === true ? name : `${name}=${value}`}`);
}

/** A number as isofs reads it: octal with a zero in front, hexadecimal with 0x, else decimal, for permissions as well. */
function number(name: string, value: Value, maximum: number): number {
  if (value === true || !/^(?:0[0-7]{0,12}|0x[0-9a-f]{1,8}|[1-9][0-9]{0,9})$/i.test(value))
    return invalid(name, value);
  const parsed = /^0[0-7]/.test(value) ? Number.parseInt(value, 8) : Number(value);
  return parsed <= maximum ? parsed : invalid(name, value);
}

function oneOf<Choice extends string>(name: string, value: Value, choices: readonly Choice[]): Choice {
  return choices.find((choice) => choice === value) ?? invalid(name, value);
}

type Setter = (draft: Draft, value: Value, name: string) => unknown;

/** An option that has no value. */
const alone =
  (set: (draft: Draft) => unknown): Setter =>
  (draft, value, name) =>
    value === true ? set(draft) : invalid(name, value);

const setters: Readonly<Record<string, Setter>> = {
  norock: alone((draft) => (draft.rockRidge = false)),
  nojoliet: alone((draft) => (draft.joliet = false)),
  map: (draft, value, name) => {
    const map = oneOf(name, value, ['n', 'normal', 'o', 'off', 'a', 'acorn']);
    draft.acornNames = map.startsWith('a');
    draft.translateNames = !map.startsWith('o');
  },
  check: (draft, value, name) => {
    const check = oneOf(name, value, ['r', 'relaxed', 's', 'strict']);
    draft.relaxed = check.startsWith('r');
  },
  uid: (draft, value, name) => (draft.uid = number(name, value, 0x7fffffff)),
  gid: (draft, value, name) => (draft.gid = number(name, value, 0x7fffffff)),
  mode: (draft, value, name) => (draft.fileMode = number(name, value, 0o7777)),
  dmode: (draft, value, name) => (draft.directoryMode = number(name, value, 0o7777)),
  // Sessions are what a drive tells of its disc: of an image the kernel knows none, and takes the first.
  session: (draft, value, name) => {
    number(name, value, 98);
    return draft;
  },
  sbsector: (draft, value, name) => {
    if (number(name, value, 0x7fffffff) > 0) throw new UnsupportedError('iso9660', [`sbsector=${value}`]);
    return draft;
  },
  overriderockperm: alone((draft) => (draft.overrideModes = true)),
  showassoc: alone((draft) => (draft.showAssociated = true)),
  hide: alone((draft) => (draft.hide = true)),
  unhide: alone((draft) => (draft.hide = false)),
  nocompress: alone((draft) => (draft.decompress = false)),
  utf8: alone((draft) => draft),
  cruft: alone((draft) => draft),
  iocharset: (draft, value, name) => {
    if (value === true) invalid(name, value);
    draft.charset = value as string; // safe: `true` was refused
  },
  // The size of the kernel's reads.
  block: (draft, value, name) => {
    oneOf(name, value, ['512', '1024', '2048']);
    return draft;
  },
};

/** Options by name as IsoOptions. An unknown name or a bad value is EINVAL. */
export function parseOptions(given: Readonly<Record<string, Value>>): IsoOptions {
  const draft: Draft = {
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
  };
  for (const [name, value] of Object.entries(given)) {
    const set = Object.hasOwn(setters, name) ? setters[name] : undefined;
    if (set === undefined) invalid(name, value);
    else set(draft, value, name);
  }
  return draft;
}
