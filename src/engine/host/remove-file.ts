/** Removes files that were made for a session. */
import { rmSync } from 'node:fs';

/** Removes a file, if it is there. Throws the host's error. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
