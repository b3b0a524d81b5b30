/** Files as `ls -l` shows them. */
import { deviceNumbers } from '../../formats/index.js';
import type { Accounts } from '../guest/accounts.js';
import type { FileFacts, FileRecord } from '../guest/file-record.js';
import { isDeviceFile, modeText, timeText } from '../guest/file-words.js';
import type { SizeFormat } from './sizes.js';
import { alignedLines } from './table.js';
import { visible } from './visible.js';

/** The columns in front of the name. Times are UTC. */
export function longCells(record: FileFacts, accounts: Accounts, size: SizeFormat): string[] {
  const { mode, nlink, uid, gid, rdev, mtime } = record;
  const { major, minor } = deviceNumbers(rdev);
  return [
    modeText(mode),
    String(nlink),
    // A guest writes its own list of users.
    visible(accounts.user(uid)),
    visible(accounts.group(gid)),
    isDeviceFile(mode) ? `${major},${minor}` : size(record.size),
    timeText(mtime, 'minutes'),
  ];
}

/** A line for each file: aligned columns, then the name as `shown` makes it. */
export function longLines(
  records: readonly FileRecord[],
  accounts: Accounts,
  size: SizeFormat,
  shown: (record: FileRecord) => string,
): string[] {
  const columns = alignedLines(
    records.map((record) => longCells(record, accounts, size)),
    [false, true, false, false, true, false],
    1,
  );
  return columns.map((line, index) => {
    const record = records[index];
    return record === undefined ? line : `${line} ${shown(record)}`;
  });
}
