/**
 * The words of the command line. Node takes them for UTF-8 and puts U+FFFD for bytes that are none; a path inside a guest
 * may well have such bytes, so where one stands the words are read from the kernel, in the notation of `decodeText`.
 */
import { readFileSync } from 'node:fs';
import { decodeText } from '../../base/index.js';

/** The words in the bytes of `/proc/self/cmdline`, each ended by a NUL. */
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
  // The kernel's list begins with what runs us: node, its own options, our file. Ours are at its end.
  const all = splitWords(readFileSync('/proc/self/cmdline'));
  return words.length === 0 ? [] : all.slice(-words.length);
}
