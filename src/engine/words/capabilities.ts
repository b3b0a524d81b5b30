/**
 * File capabilities as text: the value of the attribute `security.capability` (linux/capability.h, `vfs_cap_data`) in
 * the form of cap_to_text(3).
 */
import { CorruptError, viewOf } from '../../base/index.js';

/** By number. Source: linux/capability.h. */
export const capabilityNames: readonly string[] = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
]; // prettier-ignore

/** Bytes of the value by its revision. */
const lengths: Readonly<Record<number, number>> = { 1: 12, 2: 20, 3: 24 };
export const effectiveFlag = 1;
export const capabilityCount = capabilityNames.length;

/** Capabilities as text: `cap_net_raw=ep`, `cap_net_raw=eip cap_chown+ep`, `=ep cap_setfcap-ep`. */
export function formatCapabilities(value: Uint8Array): string {
  const view = viewOf(value);
  const magic = value.length >= 4 ? view.getUint32(0, true) : 0;
  const revision = magic >>> 24;
  if (lengths[revision] !== value.length) {
    throw new CorruptError('file capabilities', 'have an impossible length', {
      revision,
      length: value.length,
    });
  }
  const effective = (magic & effectiveFlag) !== 0;
  const bit = (set: 0 | 1, number: number): boolean => {
    if (revision === 1 && number >= 32) return false;
    const word = view.getUint32(4 + (number >> 5) * 8 + set * 4, true);
    return ((word >>> (number & 31)) & 1) !== 0;
  };
  // As bits of a state: effective 1, permitted 2, inheritable 4. A file's effective flag applies to all of its
  // capabilities.
  const states = Array.from({ length: highest }, (_, number) => {
    const held = (bit(0, number) ? 2 : 0) | (bit(1, number) ? 4 : 0);
    return held !== 0 && effective ? held | 1 : held;
  });
  return describeStates(states);
}

/** Capabilities that a value of 64 bits can hold. */
const highest = 64;

const letters = (state: number): string =>
  `${state & 1 ? 'e' : ''}${state & 4 ? 'i' : ''}${state & 2 ? 'p' : ''}`;

/**
 * As in libcap: the state of most known capabilities comes first; then, for each other state from the highest down,
 * its capabilities and how they differ. If most have none, the first group's `+` becomes `=`.
 */
function describeStates(states: readonly number[]): string {
  const known = states.slice(0, capabilityNames.length);
  const counts = new Array<number>(8).fill(0);
  for (const state of known) counts[state] = (counts[state] ?? 0) + 1;
  let most = 7;
  for (let state = 6; state >= 0; state--) if ((counts[state] ?? 0) > (counts[most] ?? 0)) most = state;
  const groups: string[] = [];
  for (let state = 7; state >= 0; state--) {
    if (state === most || (counts[state] ?? 0) === 0) continue;
    const members = capabilityNames
      .filter((_, number) => known[number] === state)
      .map((name) => `cap_${name}`);
    const more = letters(state & ~most);
    const fewer = letters(~state & most);
    groups.push(`${members.join(',')}${more && `+${more}`}${fewer && `-${fewer}`}`);
  }
  for (let state = 7; state > 0; state--) {
    const members = states.flatMap((each, number) =>
      each === state && number >= capabilityNames.length ? [number] : [],
    );
    if (members.length > 0) groups.push(`${members.join(',')}+${letters(state)}`);
  }
  if (most !== 0 || groups.length === 0) return [`=${letters(most)}`, ...groups].join(' ');
  return groups.join(' ').replace('+', '=');
}
