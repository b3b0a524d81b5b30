/** Every device that can hold a filesystem, and what is on it: the answer of `list_filesystems`. */
import type { Call } from '../thread/call.js';
import { type Fault, faultError, filesystemDevices, findFaults } from './unreadable.js';

/** What holds other disks, or is encrypted, is no filesystem: by its name, as for libguestfs, which lists all the rest. */
function isContainer(type: string): boolean {
  return type.endsWith('_member') || type === 'crypto_LUKS' || type === 'BitLocker';
}

/**
 * Types by device; `unknown` where nothing is recognised, or nothing can be read, of which `faults` tells. Members of volume
 * groups and arrays, and encrypted disks, are left out.
 */
export function listWithFaults(call: Call): { listed: Map<string, string>; faults: readonly Fault[] } {
  const { session } = call;
  const faults = findFaults(session);
  const unread = new Set(faults.filter(({ type }) => type === null).map(({ device }) => device));
  const listed = new Map<string, string>();
  for (const device of filesystemDevices(session)) {
    call.checkpoint();
    const type = unread.has(device.name) ? 'unknown' : (session.contents.probe(device)?.type ?? 'unknown');
    if (!isContainer(type)) listed.set(device.name, type);
  }
  return { listed, faults };
}

/**
 * As {@link listWithFaults} has it. What cannot be read fails the call where nothing is recognised beside it; not so what is
 * several things at once, of which `unknown` is the truth.
 */
export function listFileSystems(call: Call): Map<string, string> {
  const { listed, faults } = listWithFaults(call);
  const hidden = faults.filter(({ device, type }) => type === null || !listed.has(device));
  const [first, ...more] = hidden;
  if (first === undefined) return listed;
  if ([...listed.values()].every((type) => type === 'unknown'))
    throw faultError([first, ...more], 'no filesystem was found');
  for (const { device, error } of hidden) call.session.warnings.warnOf(device, error);
  return listed;
}
