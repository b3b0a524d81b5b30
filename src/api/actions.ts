/**
 * All actions: the topics in the order of the reference pages, and one record of the actions by name.
 */
import type { Action, Topic } from './action.js';
import { appliance } from './appliance.js';
import { attributes } from './attributes.js';
import { augeas } from './augeas.js';
import { boot } from './boot.js';
import { btrfs } from './btrfs.js';
import { checksums } from './checksums.js';
import { copy } from './copy.js';
import { devices } from './devices.js';
import { directories } from './directories.js';
import { drives } from './drives.js';
import { ext } from './ext.js';
import { files } from './files.js';
import { filesystems } from './filesystems.js';
import { forensics } from './forensics.js';
import { images } from './images.js';
import { inotify } from './inotify.js';
import { inspection } from './inspection.js';
import { journal } from './journal.js';
import { ldm } from './ldm.js';
import { links } from './links.js';
import { luks } from './luks.js';
import { lvm } from './lvm.js';
import { md } from './md.js';
import { mount } from './mount.js';
import { ntfs } from './ntfs.js';
import { partitions } from './partitions.js';
import { registry } from './registry.js';
import { selinux } from './selinux.js';
import { session } from './session.js';
import { settings } from './settings.js';
import { swap } from './swap.js';
import { text } from './text.js';
import { transfer } from './transfer.js';
import { xfs } from './xfs.js';
import { zero } from './zero.js';

/** The topics by the names of their files. */
export const topics = {
  drives,
  settings,
  session,
  appliance,
  images,
  devices,
  partitions,
  filesystems,
  mount,
  directories,
  files,
  links,
  attributes,
  text,
  checksums,
  transfer,
  copy,
  ext,
  lvm,
  luks,
  md,
  ldm,
  swap,
  btrfs,
  xfs,
  ntfs,
  zero,
  inspection,
  registry,
  augeas,
  journal,
  inotify,
  selinux,
  boot,
  forensics,
} as const satisfies Readonly<Record<string, Topic>>;

export type TopicName = keyof typeof topics;

type Merged<Part> = (Part extends unknown ? (part: Part) => void : never) extends (whole: infer Whole) => void
  ? Whole
  : never;

/** Every action's table, with all its literals, by libguestfs name. */
export type ActionTables = Merged<(typeof topics)[TopicName]['actions']>;

// Not one literal of spreads: those take V8 milliseconds, and every program that imports the package waits for this.
const tables: ActionTables = Object.assign(
  Object.create(null),
  ...Object.values(topics).map(({ actions }) => actions),
);

/** The libguestfs name of an action: `part_list`, `mke2fs_J`. */
export type ActionName = keyof ActionTables;

/** Every action by its libguestfs name. */
export const actions: Readonly<Record<ActionName, Action>> = tables;

/** The names of all actions, topic by topic. */
export const actionNames = Object.freeze(Object.keys(tables)) as readonly ActionName[];

/** Whether `name` is the libguestfs name of an action. */
export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(tables, name);
}

/**
 * Whether an action once had no optional arguments, so that the C library and its bindings know it by a second name, which
 * ends with `_opts`.
 */
export function hasOptsName(name: ActionName): boolean {
  return actions[name].aliases?.some((alias) => alias.endsWith('-opts')) === true;
}

const topicOfAction = new Map<string, TopicName>();
for (const [name, { actions }] of Object.entries(topics)) {
  for (const action of Object.keys(actions)) topicOfAction.set(action, name as TopicName);
}

/** The topic that an action belongs to. */
export function topicOf(name: ActionName): TopicName {
  return topicOfAction.get(name) as TopicName;
}
