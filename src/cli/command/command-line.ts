/**
 * The words of the command line. Node decodes them as UTF-8 and puts U+FFFD for invalid bytes, but a path inside a
 * guest may have such bytes. Where a U+FFFD appears, the words are read from the kernel instead, in the notation of
 * `decodeText`.
 */
import { readFileSync } from 'node:fs';
import { decodeText } from '../../base/index.js';

/** The words in the bytes of `/proc/self/cmdline`, each ended by a NUL. For tests. */
export function splitWords(bytes: Uint8Array): string[] {
  const words: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    const stop = end < 0 ? bytes.length : end;
    words.push(decodeText(bytes.subarray(at, stop)));
    at = stop + 1;
  }
  return words;
}

/** The words after the program's name. */
export function commandLineWords(argv: readonly string[] = process.argv): string[] {
  const words = argv.slice(2);
  if (!words.some((word) => word.includes('\ufffd')) || process.platform !== 'linux') return words;
  // The kernel's list begins with Node, its options and our file. Our words are at its end.
  const all = splitWords(readFileSync('/proc/self/cmdline'));
  return words.length === 0 ? [] : all.slice(-words.length);
}
