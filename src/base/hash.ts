/**
 * Hashes of node:crypto. The module is loaded at the first use, because loading it takes longer than reading a small
 * file.
 */
import type { Hash } from 'node:crypto';

/** As node:crypto's `createHash`. */
export function createHash(algorithm: string): Hash {
  return process.getBuiltinModule('node:crypto').createHash(algorithm);
}
