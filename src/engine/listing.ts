/** Listings for people: `ls -la` and `df`, in the layout of the GNU tools. */
import { systemError } from '../base/index.js';
import { compareBytewise, joinPath, type Tree, type TreeStat, typeOfMode } from '../vfs/index.js';
import type { Call } from './call.js';

const typeLetters: Readonly<Record<string, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  block: 'b',
  character: 'c',
  fifo: 'p',
  socket: 's',
  unknown: '?',
};

/** `drwxr-xr-x`, with the set-id and sticky bits. */
export function formatMode(mode: number): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = mode >> shift;
    const run = (bits & 1) !== 0;
    const last = special ? (run ? letter : letter.toUpperCase()) : run ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  return (
    (typeLetters[typeOfMode(mode)] ?? '?') +
    triple(6, (mode & 0o4000) !== 0, 's') +
    triple(3, (mode & 0o2000) !== 0, 's') +
    triple(0, (mode & 0o1000) !== 0, 't')
  );
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Half of a Gregorian year in seconds: what `ls` takes as recent. */
const recent = 31556952 / 2;

function formatTime(seconds: number, now: number): string {
  const date = new Date(seconds * 1000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${months[date.getUTCMonth()] ?? '???'} ${String(date.getUTCDate()).padStart(2)}`;
  const isRecent = seconds > now - recent && seconds <= now;
  return isRecent
    ? `${day} ${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`
    : `${day} ${String(date.getUTCFullYear()).padStart(5)}`;
}

interface Row {
  readonly name: string;
  readonly stat: TreeStat;
  readonly target: string;
}

function rowsOf(tree: Tree, path: string): Row[] {
  const row = (name: string, shown = name): Row => {
    const place = tree.resolve(joinPath(path, name), { followLast: false });
    const target = place.type === 'symlink' ? place.fileSystem.readlink(place.inode) : '';
    return { name: shown, stat: tree.statOf(place), target };
  };
  const place = tree.resolve(path, { followLast: path.endsWith('/') });
  if (place.type !== 'directory') return [row('', path)];
  const names = [...tree.entries(place)].map(({ name }) => name).sort(compareBytewise);
  return [row('.'), row('..'), ...names.map((name) => row(name))];
}

/** What `ls -la`, or with `labels` `ls -laZ`, prints of a directory. Owners are numbers but for root; times are UTC. */
export function longListing(call: Call, path: string, labels: boolean): string {
  const { tree } = call.session;
  const place = tree.resolve(path);
  if (place.type !== 'directory') throw systemError('ENOTDIR', path);
  const rows = rowsOf(tree, joinPath(path, ''));
  const owner = (id: number): string => (id === 0 ? 'root' : String(id));
  const now = Date.now() / 1000;
  const cells = rows.map(({ name, stat, target }) => {
    const isDevice = ['block', 'character'].includes(typeOfMode(stat.mode));
    const size = isDevice ? `${stat.deviceMajor}, ${stat.deviceMinor}` : String(stat.sizeInBytes);
    const label = labels ? [securityLabel(call, path, name)] : [];
    return {
      columns: [
        formatMode(stat.mode),
        String(stat.linkCount),
        owner(stat.uid),
        owner(stat.gid),
        ...label,
        size,
      ],
      rest: `${formatTime(stat.modified.seconds, now)} ${name}${target === '' ? '' : ` -> ${target}`}`,
    };
  });
  const width = (column: number): number =>
    Math.max(...cells.map(({ columns }) => (columns[column] ?? '').length));
  const columnCount = labels ? 6 : 5;
  const widths = Array.from({ length: columnCount }, (_, column) => width(column));
  const lines = cells.map(({ columns, rest }) => {
    const padded = columns.map((text, column) => {
      const leftAligned = column === 0 || column === 2 || column === 3 || (labels && column === 4);
      return leftAligned ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
    });
    return `${padded.join(' ')} ${rest}\n`;
  });
  const total = rows.reduce((sum, { stat }) => sum + stat.blockCount512, 0);
  return `total ${Math.ceil(total / 2)}\n${lines.join('')}`;
}

function securityLabel(call: Call, path: string, name: string): string {
  const place = call.session.tree.resolve(joinPath(path, name), { followLast: false });
  const value = place.fileSystem.xattrs(place.inode).get('security.selinux');
  return value === undefined ? '?' : Buffer.from(value).toString('latin1').replace(/\0.*$/, '');
}

/** Bytes as `df -h` prints them: rounded up, one digit after the point below ten. */
function formatSize(bytes: number): string {
  let value = bytes;
  let unit = '';
  for (const next of ['K', 'M', 'G', 'T', 'P']) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  if (unit === '') return String(bytes);
  return value < 10 ? `${(Math.ceil(value * 10) / 10).toFixed(1)}${unit}` : `${Math.ceil(value)}${unit}`;
}

/** What `df`, or with `human` `df -h`, prints of the mounted filesystems. */
export function formatUsage(call: Call, human: boolean): string {
  const rows = [
    ['Filesystem', human ? 'Size' : '1K-blocks', 'Used', human ? 'Avail' : 'Available', 'Use%', 'Mounted on'],
  ];
  const show = (bytes: number): string => (human ? formatSize(bytes) : String(Math.ceil(bytes / 1024)));
  for (const { source, fileSystem, mountpoint } of call.session.mounts.mounts()) {
    const { fragmentSize, blocks, freeBlocks, availableBlocks } = fileSystem.usage();
    const used = blocks - freeBlocks;
    const percent =
      used + availableBlocks === 0 ? '-' : `${Math.ceil((used * 100) / (used + availableBlocks))}%`;
    const sizes = [blocks, used, availableBlocks].map((count) => show(count * fragmentSize));
    rows.push([source, ...sizes, percent, mountpoint]);
  }
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          if (column === row.length - 1) return cell;
          return column === 0
            ? cell.padEnd(Math.max(14, widths[0] ?? 0))
            : cell.padStart(widths[column] ?? 0);
        })
        .join(' '),
    )
    .map((line) => `${line}\n`)
    .join('');
}
