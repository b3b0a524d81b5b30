/** Which editor a partition table has. */
import { UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { SchemeName } from '../scheme.js';
import { GptEditor } from './gpt-editor.js';
import { MbrEditor } from './mbr-editor.js';

/** An empty partition table. Nothing is written before its `write`, which clears what the disk held at both ends. */
export function newPartitionTable(
  disk: Disk,
  sectorSize: number,
  scheme: 'msdos' | 'gpt',
): GptEditor | MbrEditor {
  return scheme === 'gpt' ? GptEditor.create(disk, sectorSize) : MbrEditor.create(disk, sectorSize);
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
