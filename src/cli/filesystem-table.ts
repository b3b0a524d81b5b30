/** Filesystems as a table. */
import { type FilesystemFacts, percentUsed } from './filesystem-facts.js';
import type { SizeFormat } from './sizes.js';
import { type ColumnOf, tableOf } from './table.js';

export function filesystemLines(facts: readonly FilesystemFacts[], size: SizeFormat): string[] {
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
    { title: 'USE%', right: true, optional: true, cell: ({ usage }) => (usage ? percentUsed(usage) : '') },
    { title: 'LABEL', optional: true, cell: ({ label }) => label },
    { title: 'UUID', optional: true, cell: ({ uuid }) => uuid },
  ];
  return tableOf(columns, facts);
}
