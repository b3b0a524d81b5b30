/** What the embedded engine and the command itself need from this machine. */
import { accessSync, constants, statfsSync } from 'node:fs';
import type { CheckResult } from '../../guestfs/index.js';

/** The oldest Node that package.json allows. */
const leastNode = [20, 19] as const;

export function checkNode(version = process.versions.node): CheckResult {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const detail = isEnough ? version : `${version} is too old: ${leastNode.join('.')} is needed`;
  return { name: 'Node', status: isEnough ? 'ok' : 'failed', detail };
}

/** With less free space, the overlay of a damaged or dirty filesystem may not fit. */
const leastSpaceInBytes = 64 * 2 ** 20;

/** Both backends put files that last only as long as a handle into this directory. */
export function checkTemporary(directory: string, showSize: (bytes: number) => string): CheckResult {
  const name = 'temporary files';
  const remedy = 'choose another directory with LIBGUESTFS_TMPDIR';
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(directory);
    const free = bavail * bsize;
    const detail = `${directory}, ${showSize(free)} free`;
    return free < leastSpaceInBytes
      ? { name, status: 'failed', detail, remedy }
      : { name, status: 'ok', detail };
  } catch (thrown) {
    return { name, status: 'failed', detail: (thrown as Error).message, remedy };
  }
}
