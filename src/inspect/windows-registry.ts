/**
 * What the registry of a Windows system says of it: name, version, host name, drive letters. The keys and values are
 * those that libguestfs reads.
 */
import { CorruptError, formatGuid, GuestfsError, UnsupportedError, viewOf } from '../base/index.js';
import { Hive } from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import type { Facts } from './facts.js';
import type { InspectionHost } from './host.js';
import { matchLine, parseNumber } from './text.js';

/** The hive in a file of the guest. What is damaged in it is left out, where it can be. */
export function openHive(tree: Tree, path: string): Hive {
  const place = tree.resolve(path);
  if (place.type !== 'file') throw new GuestfsError('EINVAL', `${path}: not a regular file`);
  return new Hive(place.fileSystem.data(place.inode), { tolerant: true });
}

/** What a damaged or foreign hive hides is undefined, as what the hive does not have. */
export function readQuietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof CorruptError || thrown instanceof UnsupportedError) return undefined;
    throw thrown;
  }
}

/** The text of a value; undefined where there is none, or it is no text. */
export function textOf(hive: Hive, node: number, name: string): string | undefined {
  const value = hive.nodeGetValue(node, name);
  return value === undefined || !hive.isText(value) ? undefined : readQuietly(() => hive.valueText(value));
}

function numberOf(hive: Hive, node: number, name: string): number | undefined {
  const value = hive.nodeGetValue(node, name);
  return value === undefined ? undefined : hive.valueNumber(value);
}

/** The SOFTWARE hive: product, version, build, and whether there are group policies. */
export function readSoftware(hive: Hive, facts: Facts): void {
  const node = hive.findNode('Microsoft', 'Windows NT', 'CurrentVersion');
  if (node !== undefined) {
    facts.productName = textOf(hive, node, 'ProductName');
    facts.version = versionOf(hive, node);
    facts.productVariant = textOf(hive, node, 'InstallationType');
    // In Windows XP, CurrentBuild was something else.
    facts.buildId = textOf(hive, node, 'CurrentBuildNumber');
  }
  facts.windowsGroupPolicy = hasGroupPolicy(hive);
}

/** Since Windows 10 the version is in two numbers; CurrentVersion stays at 6.3. */
function versionOf(hive: Hive, node: number): Facts['version'] {
  const major = numberOf(hive, node, 'CurrentMajorVersionNumber');
  const minor = numberOf(hive, node, 'CurrentMinorVersionNumber');
  if (major !== undefined && minor !== undefined) return { major, minor };
  const match = matchLine(textOf(hive, node, 'CurrentVersion') ?? '', /^([0-9]+)\.([0-9]+)/);
  const oldMajor = parseNumber(match?.[1]);
  return oldMajor === undefined ? undefined : { major: oldMajor, minor: parseNumber(match?.[2]) ?? 0 };
}

/** A policy that was applied has left a key with its GUID, or with the GUID of what applied it. */
function hasGroupPolicy(hive: Hive): boolean {
  const history = hive.findNode('Microsoft', 'Windows', 'CurrentVersion', 'Group Policy', 'History');
  if (history === undefined) return false;
  return hive
    .nodeChildren(history)
    .some((child) => /^\{[0-9a-f].*\}$/is.test(readQuietly(() => hive.nodeName(child)) ?? ''));
}

/** The SYSTEM hive: drive letters, the control set in use, and the host name in it. */
export function readSystem(hive: Hive, facts: Facts, host: InspectionHost): void {
  facts.driveMappings = [...driveMappings(hive, host)];
  const select = hive.findNode('Select');
  const current = select === undefined ? undefined : numberOf(hive, select, 'Current');
  if (current === undefined) return;
  const controlSet = `ControlSet${String(current).padStart(3, '0')}`;
  facts.windowsCurrentControlSet = controlSet;
  const parameters = hive.findNode(controlSet, 'Services', 'Tcpip', 'Parameters');
  if (parameters !== undefined) facts.hostname = textOf(hive, parameters, 'Hostname');
}

/** What lies in front of the GUID of a partition. */
const gptPrefix = 'DMIO:ID:';
/** The disk's signature, and the partition's offset in bytes. */
const mbrLength = 12;
const binary = 3;

/** MountedDevices: a letter's value says where the partition is. Letters of other drives have other values. */
function driveMappings(hive: Hive, host: InspectionHost): Map<string, string> {
  const mappings = new Map<string, string>();
  const node = hive.findNode('MountedDevices');
  for (const value of node === undefined ? [] : hive.nodeValues(node)) {
    const letter = /^\\dosdevices\\([a-z]):/i.exec(readQuietly(() => hive.valueKey(value)) ?? '')?.[1];
    if (letter === undefined || hive.valueType(value) !== binary) continue;
    const place = readQuietly(() => hive.valueData(value));
    const device = place && partitionAt(place, host);
    if (device !== undefined) mappings.set(letter, device);
  }
  return mappings;
}

function partitionAt(place: Uint8Array, host: InspectionHost): string | undefined {
  const prefix = new TextEncoder().encode(gptPrefix);
  if (place.length >= prefix.length + 16 && prefix.every((byte, i) => place[i] === byte))
    return host.devices.findByProperty('partuuid', formatGuid(place.subarray(prefix.length)))?.name;
  if (place.length !== mbrLength) return undefined;
  const view = viewOf(place);
  const signature = view.getUint32(0, true).toString(16).padStart(8, '0');
  return host.findMbrPartition?.(signature, Number(view.getBigUint64(4, true)));
}
