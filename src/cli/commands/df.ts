/** `guestfs df`: how full the filesystems are. */
import { exitStatus, Failure } from '../command/failure.js';
import type { Command } from '../command/invocation.js';
import { guestOptions, sizeOptions } from '../command/options.js';
import { mayHaveHint } from '../command/report.js';
import {
  describeFilesystems,
  noteProblems,
  percentUsed,
  problemsOf,
  type SpaceUsage,
  usageAt,
} from '../guest/filesystem-facts.js';
import { type Guest, withGuest } from '../guest/guest.js';
import { readOneImage } from '../guest/image-argument.js';
import { mountGuest } from '../guest/mounting.js';
import { failIfDamaged } from '../guest/unreadable.js';
import type { SizeFormat } from '../terminal/sizes.js';
import { type ColumnOf, tableOf } from '../terminal/table.js';

interface Row {
  readonly device: string;
  readonly mountpoint: string;
  readonly usage: SpaceUsage;
}

interface Rows {
  readonly rows: readonly Row[];
  /** Filesystems without a row, because they could not be mounted. */
  readonly problems: ReturnType<typeof problemsOf>;
}

async function mountedRows(guest: Guest): Promise<Rows> {
  await mountGuest(guest);
  const rows: Row[] = [];
  for (const [device, mountpoint] of await guest.g.mountpoints(guest.controls))
    rows.push({ device, mountpoint, usage: await usageAt(guest, mountpoint) });
  return { rows, problems: [] };
}

async function allRows(guest: Guest): Promise<Rows> {
  const facts = await describeFilesystems(guest);
  noteProblems(guest.invocation, facts);
  const rows = facts.flatMap(({ device, usage }) =>
    usage === undefined ? [] : [{ device, mountpoint: '', usage }],
  );
  return { rows, problems: problemsOf(facts) };
}

/** If filesystems exist but none could be measured, the first failure is reported. */
function failIfNone({ rows, problems: [first] }: Rows): void {
  if (rows.length > 0 || first === undefined) return;
  const isUnsupported = first.code === 'ENOTSUP';
  throw new Failure(
    `${first.device} cannot be mounted, nor anything else`,
    isUnsupported ? exitStatus.notSupported : exitStatus.corrupt,
    isUnsupported ? mayHaveHint : undefined,
  );
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

/** The filesystems that could not be mounted, for programs. */
const noUsage: Readonly<Record<keyof SpaceUsage, null>> = {
  sizeInBytes: null,
  usedInBytes: null,
  availableInBytes: null,
  inodes: null,
  usedInodes: null,
};

export const df: Command = {
  options: { ...guestOptions, ...sizeOptions, inodes: { type: 'flag' }, json: { type: 'flag' } },
  async run(invocation) {
    const { options, out, sizeFormat } = invocation;
    const image = readOneImage(invocation.operands);
    const wantsMounts =
      options.flag('inspect') || options.list('mount').length > 0 || options.text('root') !== undefined;
    const found = await withGuest(invocation, image, wantsMounts ? mountedRows : allRows);
    const { rows, problems } = found;
    if (options.flag('json'))
      await invocation.printJson([
        ...rows.map(({ device, mountpoint, usage }) => ({
          device,
          mountpoint: mountpoint === '' ? null : mountpoint,
          ...usage,
          problem: null,
        })),
        ...problems.map(({ device, message }) => ({
          device,
          mountpoint: null,
          ...noUsage,
          problem: message,
        })),
      ]);
    else if (rows.length > 0 || problems.length === 0)
      await out.lines(dfLines(rows, sizeFormat, options.flag('inodes')));
    failIfNone(found);
    failIfDamaged(problems);
  },
};
