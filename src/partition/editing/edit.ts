/** Which editor a partition table has. */
import { formatGuid, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { SchemeName } from '../scheme.js';
import { GptEditor } from './gpt-editor.js';
import { MbrEditor } from './mbr-editor.js';

/**
 * An empty partition table. Nothing is written before its `write`, which clears what the disk held at both ends.
 * `identity`: sixteen bytes, of which the identifier of the disk is made; by default it is random.
 */
export function newPartitionTable(
  disk: Disk,
  sectorSize: number,
  scheme: 'msdos' | 'gpt',
  identity?: Uint8Array,
): GptEditor | MbrEditor {
  if (scheme === 'msdos') return MbrEditor.create(disk, sectorSize, identity);
  const editor = GptEditor.create(disk, sectorSize);
  if (identity !== undefined) editor.setDiskGuid(formatGuid(identity));
  return editor;
}

/** The table of a disk, to be changed. `scheme`: what was found on it. */
export function editPartitionTable(
  disk: Disk,
  sectorSize: number,
  scheme: SchemeName,
): GptEditor | MbrEditor {
  if (scheme === 'gpt') return GptEditor.open(disk, sectorSize);
  if (scheme === 'msdos') return MbrEditor.open(disk, sectorSize);
  throw new UnsupportedError('partition table', [`changing one of the kind ${scheme}`], {
    elsewhere: 'appliance',
  });
}
