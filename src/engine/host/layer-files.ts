/** The files of layers, apart from what writes them: they may have to be removed while the process exits. */
import { rmSync } from 'node:fs';

/** Removes files of layers; those that are gone already do not matter. */
export function removeLayerFiles(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}
