/**
 * File capabilities as text: the value of the attribute `security.capability` (linux/capability.h, `vfs_cap_data`) in
 * the form of cap_to_text(3).
 */
import { CorruptError, viewOf } from '../base/index.js';

/** By number. Source: linux/capability.h. */
const names = [
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
const effectiveFlag = 1;

/** Capabilities as text: `cap_net_raw=ep`, groups of equal flags joined by commas, groups parted by spaces. */
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
  // The flags of each capability: e and p together with the permitted set, i with the inheritable one.
  const byFlags = new Map<string, string[]>();
  for (let number = 0; number < 64; number++) {
    const permitted = bit(0, number);
    const inheritable = bit(1, number);
    if (!permitted && !inheritable) continue;
    const flags = `${effective ? 'e' : ''}${inheritable ? 'i' : ''}${permitted ? 'p' : ''}`;
    byFlags.set(flags, [
      ...(byFlags.get(flags) ?? []),
      names[number] ? `cap_${names[number]}` : String(number),
    ]);
  }
  if (byFlags.size === 0) return '=';
  return [...byFlags].map(([flags, list]) => `${list.join(',')}=${flags}`).join(' ');
}
