/** The mount options of Linux's isofs (mount(8), "Mount options for iso9660"), with its defaults. */
import { systemError, UnsupportedError } from '../../base/index.js';

export interface IsoOptions {
  readonly rockRidge: boolean;
  readonly joliet: boolean;
  /** Lower case and no `;1` (`normal`), or the names as they are stored (`off`). */
  readonly translateNames: boolean;
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

function number(name: string, value: Value, radix: 8 | 10, maximum: number): number {
  const digits = radix === 8 ? /^[0-7]{1,12}$/ : /^[0-9]{1,10}$/;
  if (value === true || !digits.test(value)) return invalid(name, value);
  const parsed = Number.parseInt(value, radix);
  return parsed <= maximum ? parsed : invalid(name, value);
}

function oneOf<Choice extends string>(name: string, value: Value, choices: readonly Choice[]): Choice {
  return choices.find((choice) => choice === value) ?? invalid(name, value);
}

const setters: Readonly<Record<string, (draft: Draft, value: Value, name: string) => unknown>> = {
  norock: (draft) => (draft.rockRidge = false),
  nojoliet: (draft) => (draft.joliet = false),
  map: (draft, value, name) => {
    const map = oneOf(name, value, ['n', 'normal', 'o', 'off', 'a', 'acorn']);
    if (map.startsWith('a')) throw new UnsupportedError('iso9660', [`map=${map}`]);
    draft.translateNames = map.startsWith('n');
  },
  check: (draft, value, name) => {
    const check = oneOf(name, value, ['r', 'relaxed', 's', 'strict']);
    draft.relaxed = check.startsWith('r');
  },
  uid: (draft, value, name) => (draft.uid = number(name, value, 10, 0xffffffff)),
  gid: (draft, value, name) => (draft.gid = number(name, value, 10, 0xffffffff)),
  mode: (draft, value, name) => (draft.fileMode = number(name, value, 8, 0o7777)),
  dmode: (draft, value, name) => (draft.directoryMode = number(name, value, 8, 0o7777)),
  overriderockperm: (draft) => (draft.overrideModes = true),
  showassoc: (draft) => (draft.showAssociated = true),
  hide: (draft) => (draft.hide = true),
  unhide: (draft) => (draft.hide = false),
  nocompress: (draft) => (draft.decompress = false),
  utf8: (draft) => draft,
  iocharset: (draft, value, name) => {
    if (value === true) invalid(name, value);
    if (value !== 'utf8') throw new UnsupportedError('iso9660', [`iocharset=${value}`]);
    return draft;
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
