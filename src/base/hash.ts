/** Hashes, from node:crypto, which is only loaded when one is wanted: it takes longer to load than to read a small file. */
import type { Hash } from 'node:crypto';

/** As node:crypto's `createHash`. */
export function createHash(algorithm: string): Hash {
  return process.getBuiltinModule('node:crypto').createHash(algorithm);
}
