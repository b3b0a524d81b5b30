/** What is being written on the host and must not stay when the process has to end before it is complete. */
import { rmSync } from 'node:fs';

const paths = new Set<string>();

/** Notes a file or a tree that is only begun; gives what to call when it is complete, or gone. */
export function begin(path: string): () => void {
  paths.add(path);
  return () => paths.delete(path);
}

/** Removes everything that is only begun, without waiting for whoever still writes to it. */
export function removePartialOutput(): void {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The process ends now, and there is nobody left to hear of it.
    }
  }
  paths.clear();
}
