/** Recognises VMDK, by an extent's magic or by a descriptor. */
import { decodeLatin1 } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { readPart, startsWith } from '../signature.js';

export const marks = { hosted: 'KDMV', cowd: 'COWD', descriptor: '# Disk DescriptorFile' } as const;

/**
 * Whether a text is a descriptor by qemu's rule: behind lines of comment and of blanks the version is the first thing
 * that it says.
 */
export function isDescriptor(text: string): boolean {
  return text.startsWith(marks.descriptor) || /^(?:#[^\n]*\n|[ ]+\r?\n)*version=[1-3]\r?\n/.test(text);
}

/** Whether the file is an extent, or a descriptor. */
export function probe(file: Disk): boolean {
  const head = readPart(file, 0, 512);
  return startsWith(head, marks.hosted) || startsWith(head, marks.cowd) || isDescriptor(decodeLatin1(head));
}
