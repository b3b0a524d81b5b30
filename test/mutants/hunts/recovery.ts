/** Recoveries of logs, on a disk that loses power. */
import { crashRecovery, fastCommits, journals, readDirty } from '../../fs/ext/recovery.js';

export function hunt(): string | undefined {
  for (const path of [...journals, ...fastCommits]) {
    const [found] = crashRecovery(readDirty(path), { most: 300, untilWrong: true }).wrong;
    if (found !== undefined) return `${path}: ${found}`;
  }
  return undefined;
}
