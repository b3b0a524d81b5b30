/** Recognises what images are shipped in. */
import type { Disk } from '../../disk/index.js';
import { isTar } from '../../formats/index.js';
import { readPart, startsWith } from '../signature.js';

export type ContainerCodec = 'gzip' | 'xz' | 'zstd';

const marks: readonly (readonly [ContainerCodec, string])[] = [
  ['gzip', '\x1f\x8b\x08'],
  ['xz', '\xfd7zXZ\0'],
  ['zstd', '\x28\xb5\x2f\xfd'],
];

/** How a file is compressed, or that it is an archive. */
export function findContainer(file: Disk): ContainerCodec | 'tar' | undefined {
  const head = readPart(file, 0, 512);
  return marks.find(([, mark]) => startsWith(head, mark))?.[0] ?? (isTar(head) ? 'tar' : undefined);
}
