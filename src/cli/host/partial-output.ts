/** Unfinished output on the host, which must be removed if the process ends early. */
import { rmSync } from 'node:fs';

const paths = new Set<string>();

/** Notes an unfinished file or tree. Call the returned function when it is complete or removed. */
export function begin(path: string): () => void {
  paths.add(path);
  return () => paths.delete(path);
}

/** Removes all unfinished output, without waiting for its writers. */
export function removePartialOutput(): void {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The process is ending, so an error cannot be reported.
    }
  }
  paths.clear();
}
