/** `guestfs df`: how full the filesystems are. */
import { describeFilesystems, percentUsed, type Usage, usageAt } from '../filesystem-facts.js';
import { type Guest, withGuest } from '../guest.js';
import { readOneImage } from '../image-argument.js';
import type { Command } from '../invocation.js';
import { mountGuest } from '../mounting.js';
import { guestOptions, sizeOptions } from '../options.js';
import type { SizeFormat } from '../sizes.js';
import { type ColumnOf, tableOf } from '../table.js';

interface Row {
  readonly device: string;
  readonly mountpoint: string;
  readonly usage: Usage;
}

async function mountedRows(guest: Guest): Promise<Row[]> {
  await mountGuest(guest);
  const rows: Row[] = [];
  for (const [device, mountpoint] of await guest.g.mountpoints(guest.controls))
    rows.push({ device, mountpoint, usage: await usageAt(guest, mountpoint) });
  return rows;
}

async function allRows(guest: Guest): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { device, usage, problem } of await describeFilesystems(guest)) {
    if (usage !== undefined) rows.push({ device, mountpoint: '', usage });
    else if (problem !== undefined) guest.invocation.note(`${device} cannot be mounted: ${problem}`);
  }
  return rows;
}

function dfLines(rows: readonly Row[], size: SizeFormat, inodes: boolean): string[] {
  const numbers: ColumnOf<Row>[] = inodes
    ? [
        { title: 'INODES', right: true, cell: ({ usage }) => String(usage.inodes) },
        { title: 'USED', right: true, cell: ({ usage }) => String(usage.usedInodes) },
        { title: 'FREE', right: true, cell: ({ usage }) => String(usage.inodes - usage.usedInodes) },
        {
          title: 'USE%',
          right: true,
          cell: ({ usage }) =>
            usage.inodes === 0 ? '-' : `${Math.ceil((usage.usedInodes * 100) / usage.inodes)}%`,
        },
      ]
    : [
        { title: 'SIZE', right: true, cell: ({ usage }) => size(usage.sizeInBytes) },
        { title: 'USED', right: true, cell: ({ usage }) => size(usage.usedInBytes) },
        { title: 'AVAIL', right: true, cell: ({ usage }) => size(usage.availableInBytes) },
        { title: 'USE%', right: true, cell: ({ usage }) => percentUsed(usage) },
      ];
  const columns: ColumnOf<Row>[] = [
    { title: 'FILESYSTEM', cell: ({ device }) => device },
    ...numbers,
    { title: 'MOUNTED ON', optional: true, cell: ({ mountpoint }) => mountpoint },
  ];
  return tableOf(columns, rows);
}

export const df: Command = {
  options: { ...guestOptions, ...sizeOptions, inodes: { type: 'flag' }, json: { type: 'flag' } },
  async run(invocation) {
    const { options, out, sizeFormat } = invocation;
    const image = readOneImage(invocation.operands);
    const wantsMounts =
      options.flag('inspect') || options.list('mount').length > 0 || options.text('root') !== undefined;
    const rows = await withGuest(invocation, image, wantsMounts ? mountedRows : allRows);
    if (options.flag('json'))
      return await invocation.printJson(
        rows.map(({ device, mountpoint, usage }) => ({
          device,
          ...(mountpoint === '' ? {} : { mountpoint }),
          ...usage,
        })),
      );
    await out.lines(dfLines(rows, sizeFormat, options.flag('inodes')));
  },
};
