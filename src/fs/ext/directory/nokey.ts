/**
 * The shown form of names in encrypted directories without the key: the encrypted bytes in base64url, after the two
 * hashes of the directory index, with a SHA-256 in place of the end of a long name. Specification: the kernel's
 * Documentation/filesystems/fscrypt.rst, and struct fscrypt_nokey_name in fs/crypto/fname.c.
 */
import { concatBytes, encodeBase64Url } from '../../../base/index.js';
import { platform } from '../../../disk/index.js';
import { nokeyHashes } from '../layout.js';
import type { NameHash } from './hash.js';

/** How many bytes of an encrypted name are shown unchanged; the rest of a longer one is shown as its SHA-256. */
const shownBytes = 149;
/** The least length of an encrypted name, that of one block of its cipher; in bytes. */
export const leastEncryptedName = 16;

/** The name to show. `encrypted` has at least {@link leastEncryptedName} bytes. */
export function showEncryptedName(encrypted: Uint8Array, hash: NameHash): string {
  const parts = [nokeyHashes.encode(hash), encrypted.subarray(0, shownBytes)];
  if (encrypted.length > shownBytes) {
    const hash = platform().hash('sha256');
    hash.update(encrypted.subarray(shownBytes));
    parts.push(hash.digest());
  }
  return encodeBase64Url(concatBytes(parts));
}
