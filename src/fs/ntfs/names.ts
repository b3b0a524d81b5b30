/**
 * Names: UTF-16 on the disk, and the bytes of UTF-8 to users. The disk may hold halves of pairs alone. As in ntfs-3g they
 * get the three bytes that UTF-8's rule would give them, which are no valid UTF-8, so that in a text each of these is
 * an escape (see `decodeText`).
 */
import { viewOf } from '../../base/index.js';
import { escapedByte, halfInUtf8, halfOfPair } from './layout.js';

const { lead, continuation, mask, shift, high } = halfInUtf8;

/** A half of a pair as the escapes of its three bytes. */
function escapeHalf(half: string): string {
  const unit = half.charCodeAt(0);
  const bytes = [lead, continuation + ((unit >>> shift) & mask), continuation + (unit & mask)];
  return String.fromCharCode(...bytes.map((byte) => escapedByte + byte));
}

const pairOrHalf = /[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g;

/** A name from its bytes on the disk. */
export function decodeName(bytes: Uint8Array): string {
  const view = viewOf(bytes);
  let text = '';
  let hasHalves = false;
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    const unit = view.getUint16(at, true);
    if (unit >= halfOfPair.first && unit <= halfOfPair.last) hasHalves = true;
    text += String.fromCharCode(unit);
  }
  return hasHalves
    ? text.replace(pairOrHalf, (found) => (found.length === 2 ? found : escapeHalf(found)))
    : text;
}

const escapes = /[\ud800-\udbff][\udc00-\udfff]|\udced([\udca0-\udcbf])([\udc80-\udcbf])|[\udc80-\udcff]/g;

/** The UTF-16 of a name, as a string with a unit a character; undefined where the disk can have no such name. */
export function encodeName(name: string): string | undefined {
  let isPossible = true;
  const encoded = name.replace(escapes, (found, second?: string, third?: string) => {
    if (second !== undefined && third !== undefined)
      return String.fromCharCode(
        high + ((second.charCodeAt(0) & mask) << shift) + (third.charCodeAt(0) & mask),
      );
    if (found.length === 1) isPossible = false;
    return found;
  });
  return isPossible ? encoded : undefined;
}
