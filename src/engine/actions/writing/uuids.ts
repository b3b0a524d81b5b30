/** UUIDs that are given to what is made. */
import { decodeHex, GuestfsError } from '../../../base/index.js';
import { platform } from '../../../disk/index.js';

/** A random UUID of version 4 (RFC 9562). */
export function randomUuid(): Uint8Array {
  const uuid = new Uint8Array(16);
  platform().random(uuid);
  const set = (at: number, bits: number, width: number): void => {
    uuid[at] = ((uuid[at] ?? 0) % width) + bits;
  };
  set(6, 0x40, 0x10);
  set(8, 0x80, 0x40);
  return uuid;
}

/** A UUID as mkswap, mke2fs and tune2fs take it: these words stand for one, too. EINVAL. */
export function uuidBytes(given: string | undefined): Uint8Array {
  if (given === undefined || given === 'random' || given === 'time') return randomUuid();
  if (given === 'clear') return new Uint8Array(16);
  if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(given))
    throw new GuestfsError('EINVAL', `${given}: is no UUID`);
  return decodeHex(given.replaceAll('-', ''));
}
