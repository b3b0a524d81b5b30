/**
 * All actions: the topics in the order of the reference pages, and one record of the actions by name. A topic's tables
 * are made when one of them is wanted.
 */
import type { Action, Topic } from './action.js';
import { namesByTopic, namesWithOpts } from './names.js';
import { appliance } from './topics/appliance.js';
import { attributes } from './topics/attributes.js';
import { augeas } from './topics/augeas.js';
import { boot } from './topics/boot.js';
import { btrfs } from './topics/btrfs.js';
import { checksums } from './topics/checksums.js';
import { copy } from './topics/copy.js';
import { devices } from './topics/devices.js';
import { directories } from './topics/directories.js';
import { drives } from './topics/drives.js';
import { ext } from './topics/ext.js';
import { files } from './topics/files.js';
import { filesystems } from './topics/filesystems.js';
import { forensics } from './topics/forensics.js';
import { images } from './topics/images.js';
import { inotify } from './topics/inotify.js';
import { inspection } from './topics/inspection.js';
import { journal } from './topics/journal.js';
import { ldm } from './topics/ldm.js';
import { links } from './topics/links.js';
import { luks } from './topics/luks.js';
import { lvm } from './topics/lvm.js';
import { md } from './topics/md.js';
import { mount } from './topics/mount.js';
import { ntfs } from './topics/ntfs.js';
import { partitions } from './topics/partitions.js';
import { registry } from './topics/registry.js';
import { selinux } from './topics/selinux.js';
import { session } from './topics/session.js';
import { settings } from './topics/settings.js';
import { swap } from './topics/swap.js';
import { text } from './topics/text.js';
import { transfer } from './topics/transfer.js';
import { xfs } from './topics/xfs.js';
import { zero } from './topics/zero.js';

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

/** The libguestfs name of an action: `part_list`, `mke2fs_J`. */
export type ActionName = keyof ActionTables;

const words = (text: string): string[] => text.trim().split(' ');

/** The topic of every action, topic by topic. */
const topicOf = new Map<string, TopicName>(
  Object.entries(namesByTopic).flatMap(([topic, names]) =>
    words(names).map((name) => [name, topic as TopicName] as const),
  ),
);
const withOpts = new Set(words(namesWithOpts));

/** The names of all actions, topic by topic. */
export const actionNames = Object.freeze([...topicOf.keys()]) as readonly ActionName[];

/** Whether `name` is the libguestfs name of an action. */
export function isActionName(name: string): name is ActionName {
  return topicOf.has(name);
}

function tableOf(name: string | symbol): Action | undefined {
  const topic = typeof name === 'string' ? topicOf.get(name) : undefined;
  // safe: the topic has the action, as a test says
  return topic && (topics[topic].actions as Readonly<Record<string, Action>>)[name as string];
}

/** Every action by its libguestfs name. Its topic is set up when one of it is asked for. */
export const actions: Readonly<Record<ActionName, Action>> = new Proxy(Object.create(null), {
  get: (_, name) => tableOf(name),
  has: (_, name) => topicOf.has(name as string),
  ownKeys: () => [...actionNames],
  getOwnPropertyDescriptor(_, name) {
    const value = tableOf(name);
    return value && { value, enumerable: true, configurable: true };
  },
});

/**
 * Whether an action once had no optional arguments. The C library and its bindings know such an action by a second
 * name too, which ends with `_opts`.
 */
export function hasOptsName(name: ActionName): boolean {
  return withOpts.has(name);
}

/** Whether only the appliance, and not the embedded engine, does an action. */
export function needsAppliance(name: ActionName): boolean {
  return actions[name].by === 'appliance';
}

/** Whether an action changes data on a drive, which must then be open for writing. */
export function changesDisks(name: ActionName): boolean {
  const { nonBlocking, reads } = actions[name];
  return nonBlocking !== true && reads !== true;
}
