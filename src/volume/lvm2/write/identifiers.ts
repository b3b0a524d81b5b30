/** Identifiers of physical volumes, groups and logical volumes: 32 letters and digits. */
import { platform } from '../../../disk/index.js';

const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const length = 32;

/** A random one, without dashes. */
export function randomIdentifier(): string {
  let text = '';
  const bytes = new Uint8Array(length);
  while (text.length < length) {
    platform().random(bytes);
    // Bytes past the last multiple of 62 would make some letters likelier than others.
    for (const byte of bytes)
      if (byte < 4 * letters.length && text.length < length) text += letters.charAt(byte % letters.length);
  }
  return text;
}
