/** Filesystems as a table. */

import type { SizeFormat } from '../terminal/sizes.js';
import { type ColumnOf, tableOf } from '../terminal/table.js';
import { type FilesystemFacts, percentUsed } from './filesystem-facts.js';

/** Lines of a table. `USE%` and the long UUIDs together do not fit into 80 columns: `last` says which is shown. */
export function filesystemLines(
  facts: readonly FilesystemFacts[],
  size: SizeFormat,
  last: 'share' | 'uuid',
): string[] {
  const share: ColumnOf<FilesystemFacts> = {
    title: 'USE%',
    right: true,
    optional: true,
    cell: ({ usage }) => (usage ? percentUsed(usage) : ''),
  };
  const uuid: ColumnOf<FilesystemFacts> = { title: 'UUID', optional: true, cell: (each) => each.uuid };
  const columns: ColumnOf<FilesystemFacts>[] = [
    { title: 'DEVICE', cell: ({ device }) => device },
    { title: 'TYPE', cell: ({ type }) => type },
    {
      title: 'SIZE',
      right: true,
      cell: ({ usage, deviceSizeInBytes }) => {
        const bytes = usage?.sizeInBytes ?? deviceSizeInBytes;
        return bytes === undefined ? '' : size(bytes);
      },
    },
    {
      title: 'USED',
      right: true,
      optional: true,
      cell: ({ usage }) => (usage ? size(usage.usedInBytes) : ''),
    },
    {
      title: 'FREE',
      right: true,
      optional: true,
      cell: ({ usage }) => (usage ? size(usage.availableInBytes) : ''),
    },
    ...(last === 'share' ? [share] : []),
    { title: 'LABEL', optional: true, cell: ({ label }) => label },
    ...(last === 'uuid' ? [uuid] : []),
  ];
  return tableOf(columns, facts);
}
