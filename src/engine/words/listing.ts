/** Listings for people: `ls -la` and `df`, in the layout of the GNU tools. */
import { compareBytewise, GuestfsError, typeOfMode } from '../../base/index.js';
import { type FileType, heeding } from '../../fs/index.js';
import { joinPath, type Place, type Tree, type TreeStat } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';

const modeLetters: Readonly<Record<string, string>> = {
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
function formatMode(mode: number): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = mode >> shift;
    const run = (bits & 1) !== 0;
    const last = special ? (run ? letter : letter.toUpperCase()) : run ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  return (
    (modeLetters[typeOfMode(mode)] ?? '?') +
    triple(6, (mode & 0o4000) !== 0, 's') +
    triple(3, (mode & 0o2000) !== 0, 's') +
    triple(0, (mode & 0o1000) !== 0, 't')
  );
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Half of a Gregorian year in seconds: more recent files are recent for `ls`. */
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
  readonly type: FileType;
  readonly place: Place | undefined;
  /** Undefined if the inode cannot be read: question marks replace its facts. */
  readonly stat: TreeStat | undefined;
  readonly target: string;
}

/** `claimed`: the type of a file of which only the name is known. */
function rowOf(tree: Tree, name: string, path: string, claimed: FileType, enter: () => Place): Row {
  const { onDamage } = tree;
  const told = onDamage && ((error: GuestfsError) => onDamage(error, path));
  const row = heeding(told, () => {
    const place = enter();
    const stat = tree.statOf(place);
    const type = typeOfMode(stat.mode);
    const target =
      type === 'symlink' ? heeding(told, () => place.fileSystem.readlink(place.inode)) : undefined;
    return { name, type, place, stat, target: target ?? '' };
  });
  return row ?? { name, type: claimed, place: undefined, stat: undefined, target: '' };
}

/** Rows that are collected for aligning, each of about a hundred bytes. */
const rowLimit = 300_000;

/** The entries of a directory, or the file itself, in the byte-wise order of the names. */
function rowsOf(tree: Tree, path: string): Row[] {
  const place = tree.resolve(path);
  const { type } = place;
  if (type !== 'directory') return [rowOf(tree, tree.realpath(path), path, type, () => place)];
  const { onDamage } = tree;
  const rows: Row[] = [];
  for (const entry of tree.entries(place, onDamage && ((error) => onDamage(error, path)))) {
    const enter = (): Place => tree.enter(place, entry);
    if (rows.push(rowOf(tree, entry.name, joinPath(path, entry.name), entry.type, enter)) > rowLimit)
      throw new GuestfsError(
        'EFBIG',
        `${path}: more than ${rowLimit} entries are too many to be laid out; use ls`,
      );
  }
  const above = joinPath(path, '..');
  rows.push(rowOf(tree, '.', path, type, () => place));
  rows.push(rowOf(tree, '..', above, type, () => tree.resolve(above)));
  return rows.sort((one, other) => compareBytewise(one.name, other.name));
}

const noAttributes: ReadonlyMap<string, Uint8Array> = new Map();

function attributesOf({ onDamage }: Tree, { place, name }: Row): ReadonlyMap<string, Uint8Array> {
  if (place === undefined) return noAttributes;
  const told = onDamage && ((error: GuestfsError) => onDamage(error, `${name}: attributes`));
  return heeding(told, () => place.fileSystem.xattrs(place.inode, () => {})) ?? noAttributes;
}

/** The mark of `ls` after the permissions: `+` for an access control list, `.` for a label alone. */
function accessMark(tree: Tree, row: Row): string {
  const attributes = attributesOf(tree, row);
  if (attributes.has('system.posix_acl_access') || attributes.has('system.posix_acl_default')) return '+';
  return attributes.has('security.selinux') ? '.' : '';
}

const isDevice = ({ type, stat }: Row): boolean =>
  stat !== undefined && ['block', 'character'].includes(type);
const widest = (texts: readonly string[]): number =>
  texts.reduce((most, { length }) => Math.max(most, length), 0);

/** Sizes, or the numbers of device nodes: each has a column, as wide as the widest. */
function sizeCells(rows: readonly Row[]): string[] {
  const devices = rows.filter(isDevice);
  const majorWidth = widest(devices.map(({ stat }) => String(stat?.deviceMajor)));
  const minorWidth = widest(devices.map(({ stat }) => String(stat?.deviceMinor)));
  return rows.map((row) =>
    isDevice(row)
      ? `${String(row.stat?.deviceMajor).padStart(majorWidth)}, ${String(row.stat?.deviceMinor).padStart(minorWidth)}`
      : String(row.stat?.sizeInBytes ?? '?'),
  );
}

/**
 * The output of `ls -la`, or with `labels` of `ls -laZ`, for a directory or a file. As in libguestfs's appliance,
 * owners are numbers and times are in UTC.
 */
export function longListing(call: Call, path: string, labels: boolean): string {
  const { tree } = call.session;
  const rows = rowsOf(tree, path);
  const sizes = sizeCells(rows);
  const marks = rows.map((row) => accessMark(tree, row));
  const hasMarks = marks.some((mark) => mark !== '');
  const now = Date.now() / 1000;
  const columns: readonly (readonly string[])[] = [
    rows.map(({ type, stat }, index) => {
      const mode = stat === undefined ? `${modeLetters[type] ?? '?'}?????????` : formatMode(stat.mode);
      return mode + (hasMarks ? marks[index] || ' ' : '');
    }),
    rows.map(({ stat }) => String(stat?.linkCount ?? '?')),
    rows.map(({ stat }) => String(stat?.uid ?? '?')),
    rows.map(({ stat }) => String(stat?.gid ?? '?')),
    ...(labels ? [rows.map((row) => securityLabel(tree, row))] : []),
    sizes,
  ];
  const padded = columns.map((cells, column) => {
    const width = widest(cells);
    const isLabel = labels && column === 4;
    return cells.map((text) => (isLabel ? text.padEnd(width) : text.padStart(width)));
  });
  const lines = rows.map(({ stat, name, target }, index) => {
    const cells = padded.map((column) => column[index] ?? '').join(' ');
    const time = stat === undefined ? '?'.padStart(12) : formatTime(stat.modified.seconds, now);
    return `${cells} ${time} ${name}${target === '' ? '' : ` -> ${target}`}\n`;
  });
  if (tree.resolve(path).type !== 'directory') return lines.join('');
  const total = rows.reduce((sum, { stat }) => sum + (stat?.blockCount512 ?? 0), 0);
  return `total ${Math.ceil(total / 2)}\n${lines.join('')}`;
}

function securityLabel(tree: Tree, row: Row): string {
  const value = attributesOf(tree, row).get('security.selinux');
  return value === undefined ? '?' : Buffer.from(value).toString('latin1').replace(/\0.*$/, '');
}

/** Bytes in the form of `df -h`: rounded up, one digit after the point below ten. */
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

/** The output of `df`, or with `human` of `df -h`, for the mounted filesystems. */
export function formatUsage(call: Call, human: boolean): string {
  // Refused while nothing is mounted, as every call about the tree.
  void call.session.tree.resolve('/');
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
    const name = call.session.devices.find(source)?.mapperName ?? source;
    rows.push([name, ...sizes, percent, mountpoint]);
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
