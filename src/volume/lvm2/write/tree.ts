/**
 * A group's metadata as it is changed: all of the text, so that what is not known here stays as it was. Changes are made
 * to copies, and nothing is written here.
 */
import { encodeText, GuestfsError } from '../../../base/index.js';
import { type ConfigSection, type ConfigValue, parseConfig } from '../config.js';
import { decodeVolumeGroup, type VolumeGroupText } from '../metadata.js';
import { dashed } from '../probe.js';
import { encodeConfig, isSection } from './config-text.js';
import type { ExtentRun } from './extents.js';

/** A section that can be changed. */
export type ConfigTree = Map<string, ConfigValue>;

/** Who writes, and when. */
export interface Author {
  /** Seconds since 1970. */
  readonly now: number;
  /** What is done, for the metadata's `description`. */
  readonly command: string;
}

/** The name of the machine, in the metadata: there is none. */
const host = 'guestfs';

function copyOf(section: ConfigSection): ConfigTree {
  return new Map([...section].map(([name, value]) => [name, isSection(value) ? copyOf(value) : value]));
}

/** The text of a new group, without members and volumes. */
export function newGroup(name: string, uuid: string, extentSizeInSectors: number): ConfigTree {
  const group: ConfigTree = new Map<string, ConfigValue>([
    ['id', dashed(uuid)],
    ['seqno', 0],
    ['format', 'lvm2'],
    ['status', ['RESIZEABLE', 'READ', 'WRITE']],
    ['flags', []],
    ['extent_size', extentSizeInSectors],
    ['max_lv', 0],
    ['max_pv', 0],
    ['metadata_copies', 0],
    ['physical_volumes', new Map()],
  ]);
  return new Map([[name, group]]);
}

/** The text of a group that is there. */
export const openText = (rawText: Uint8Array): ConfigTree => copyOf(parseConfig(rawText));

/** The group in a text. */
export function groupOf(root: ConfigTree): ConfigTree {
  // safe: copied by copyOf, or made here
  for (const value of root.values()) if (isSection(value)) return value as ConfigTree;
  throw new GuestfsError('EIO', 'LVM metadata without a group');
}

/** A section in a section; where there is none, a new one if `make` says so. */
export function sectionOf(tree: ConfigTree, name: string, make = false): ConfigTree {
  const found = tree.get(name);
  if (isSection(found)) return found as ConfigTree; // safe: as above
  if (!make) throw new GuestfsError('EIO', `LVM metadata without a section ${name}`);
  const made: ConfigTree = new Map();
  tree.set(name, made);
  return made;
}

export const volumesOf = (root: ConfigTree): ConfigTree => sectionOf(groupOf(root), 'logical_volumes', true);

/** Renames an entry, which stays at its place. */
export function renameEntry(tree: ConfigTree, from: string, to: string): void {
  const entries = [...tree];
  tree.clear();
  for (const [name, value] of entries) tree.set(name === from ? to : name, value);
}

/** A physical volume of a group. */
interface MemberText {
  readonly uuid: string;
  readonly device: string;
  readonly sizeInSectors: number;
  readonly startInSectors: number;
  readonly extentCount: number;
}

export function memberSection({
  uuid,
  device,
  sizeInSectors,
  startInSectors,
  extentCount,
}: MemberText): ConfigTree {
  return new Map<string, ConfigValue>([
    ['id', dashed(uuid)],
    ['device', device],
    ['status', ['ALLOCATABLE']],
    ['flags', []],
    ['dev_size', sizeInSectors],
    ['pe_start', startInSectors],
    ['pe_count', extentCount],
  ]);
}

function segmentSection(firstExtent: number, { member, first, count }: ExtentRun): ConfigTree {
  return new Map<string, ConfigValue>([
    ['start_extent', firstExtent],
    ['extent_count', count],
    ['type', 'striped'],
    ['stripe_count', 1],
    ['stripes', [member, first]],
  ]);
}

/** A new linear volume. */
export function volumeSection(uuid: string, runs: readonly ExtentRun[], { now }: Author): ConfigTree {
  const volume: ConfigTree = new Map<string, ConfigValue>([
    ['id', dashed(uuid)],
    ['status', ['READ', 'WRITE', 'VISIBLE']],
    ['flags', []],
    ['creation_time', now],
    ['creation_host', host],
    ['segment_count', 0],
  ]);
  addSegments(volume, runs);
  return volume;
}

const segmentName = /^segment\d+$/;

function segmentsOf(volume: ConfigTree): ConfigTree[] {
  const names = [...volume.keys()].filter((name) => segmentName.test(name));
  return names
    .map((name) => sectionOf(volume, name))
    .sort((one, other) => numberOf(one, 'start_extent') - numberOf(other, 'start_extent'));
}

function putSegments(volume: ConfigTree, segments: readonly ConfigTree[]): void {
  for (const name of [...volume.keys()]) if (segmentName.test(name)) volume.delete(name);
  volume.set('segment_count', segments.length);
  for (const [index, segment] of segments.entries()) volume.set(`segment${index + 1}`, segment);
}

const numberOf = (tree: ConfigTree, name: string): number => Number(tree.get(name) ?? 0);

/** Makes a linear volume longer. What lies behind its last segment makes that one longer. */
export function addSegments(volume: ConfigTree, runs: readonly ExtentRun[]): void {
  const segments = segmentsOf(volume);
  for (const run of runs) {
    const last = segments.at(-1);
    const start = last === undefined ? 0 : numberOf(last, 'start_extent') + numberOf(last, 'extent_count');
    const stripes = last?.get('stripes');
    const [member, first] = Array.isArray(stripes) && stripes.length === 2 ? stripes : [];
    if (
      last !== undefined &&
      member === run.member &&
      Number(first) + numberOf(last, 'extent_count') === run.first
    )
      last.set('extent_count', numberOf(last, 'extent_count') + run.count);
    else segments.push(segmentSection(start, run));
  }
  putSegments(volume, segments);
}

/** Makes a linear volume shorter. */
export function cutSegments(volume: ConfigTree, extentCount: number): void {
  const kept = segmentsOf(volume).filter((segment) => numberOf(segment, 'start_extent') < extentCount);
  const last = kept.at(-1);
  if (last !== undefined)
    last.set(
      'extent_count',
      Math.min(numberOf(last, 'extent_count'), extentCount - numberOf(last, 'start_extent')),
    );
  putSegments(volume, kept);
}

/** A text that is ready to be written, and what it says. */
export interface ReadyText {
  readonly bytes: Uint8Array;
  readonly text: VolumeGroupText;
}

/**
 * The next version of a text, as bytes with the NUL at their end. It is decoded once more, so that nothing is written
 * that could not be read.
 */
export function finishText(root: ConfigTree, { now, command }: Author): ReadyText {
  const group = groupOf(root);
  group.set('seqno', numberOf(group, 'seqno') + 1);
  // lvm2 has the section only where there are volumes.
  if (volumesOf(root).size === 0) group.delete('logical_volumes');
  const [name] = [...root].find(([, value]) => isSection(value)) ?? [];
  if (name === undefined) throw new GuestfsError('EIO', 'LVM metadata without a group');
  const head: ConfigSection = new Map([[name, group]]);
  const tail: ConfigSection = new Map<string, ConfigValue>([
    ['contents', 'Text Format Volume Group'],
    ['version', 1],
    ['description', `Write from ${command}.`],
    ['creation_host', host],
    ['creation_time', now],
  ]);
  const bytes = encodeText(
    `${encodeConfig(head).trimStart()}# Generated by guestfs\n\n${encodeConfig(tail)}\n\0`,
  );
  return { bytes, text: decodeVolumeGroup(bytes) };
}
