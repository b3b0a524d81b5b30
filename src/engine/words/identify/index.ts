/**
 * The kind of a file in the words of the program file(1), for the action `file`. A small table of our own with the
 * kinds on real systems; other files are text or `data`. Compressed files are unpacked.
 */

import type { ByteSource } from '../../../base/index.js';
import { CorruptError, UnsupportedError } from '../../../base/index.js';
import { packingOf, unpack } from '../../../vfs/index.js';
import { describeBinary } from './binary.js';
import { describeDisk } from './disk.js';
import { describeElf } from './elf.js';
import { describePacked } from './packed.js';
import { headLength, Subject } from './source.js';
import { describeText, isJson } from './text.js';

export { headLength } from './source.js';

/** The beginning of a compressed file's contents; undefined if it cannot be read. */
function inside(source: ByteSource): Uint8Array | undefined {
  try {
    return unpack(source, 'file', { enough: headLength })?.subarray(0, headLength);
  } catch (thrown) {
    // A damaged file, or one in an unknown compression, is still named by its outside.
    if (thrown instanceof CorruptError || thrown instanceof UnsupportedError) return undefined;
    throw thrown;
  }
}

function describeBytes(subject: Subject): string {
  if (subject.head.length === 0) return 'empty';
  if (subject.head.length === 1) return 'very short file (no magic)';
  if (isJson(subject)) return 'JSON text data';
  return (
    describeElf(subject) ??
    describeBinary(subject) ??
    describeDisk(subject) ??
    describeText(subject) ??
    'data'
  );
}

/** What bytes are that were unpacked: what is compressed in them stays so. */
export function identifyUnpacked(bytes: Uint8Array): string {
  const subject = new Subject(bytes.subarray(0, headLength));
  const packing = packingOf(bytes);
  return packing === undefined ? describeBytes(subject) : describePacked(packing, subject);
}

/** What a file or a device holds. */
export function identify(source: ByteSource): string {
  const head = new Uint8Array(Math.min(source.size, headLength));
  if (head.length > 0) source.read(head, 0);
  const subject = new Subject(head, source);
  const packing = packingOf(head);
  if (packing === undefined) return describeBytes(subject);
  const outer = describePacked(packing, subject);
  const content = inside(source);
  return content === undefined ? outer : `${describeBytes(new Subject(content))} (${outer})`;
}
