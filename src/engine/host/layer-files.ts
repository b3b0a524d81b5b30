/** The files of layers, apart from what writes them: the handle's thread has them. */
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BackendConfig, DriveConfig } from '../../api/index.js';
import { hostError } from '../../base/index.js';

/** Whether what is written to a drive is thrown away at the end. */
export const isDiscardable = ({ path, readonly }: DriveConfig): boolean => readonly || path === undefined;

/** A file for the layer of each drive, in their order; undefined for those whose writes go to the image. */
export type LayerPaths = readonly (string | undefined)[];

export interface LayerFiles {
  readonly paths: LayerPaths;
  /** Whoever has opened the files goes on with them; nobody opens them afterwards, not even in vain. */
  remove(): void;
}

/**
 * Makes empty files in the directory for temporary files, readable by their owner alone. A file has lost its name when
 * this returns, and its path is that of an open file of this process: so nothing is left of it, in whatever way the
 * process ends. Where there is no /proc, it keeps its name until it is removed. Throws GuestfsError: the host's errors.
 */
export function makeLayerFiles({ drives, tmpdir }: Pick<BackendConfig, 'drives' | 'tmpdir'>): LayerFiles {
  const prefix = join(resolve(tmpdir), `guestfs-layer-${process.pid}-${crypto.randomUUID()}`);
  const descriptors: number[] = [];
  const names: string[] = [];
  const remove = (): void => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
    for (const name of names.splice(0)) rmSync(name, { force: true });
  };
  const make = (name: string): string => {
    try {
      const descriptor = openSync(name, 'wx', 0o600);
      descriptors.push(descriptor);
      const unnamed = `/proc/${process.pid}/fd/${descriptor}`;
      if (existsSync(unnamed)) {
        rmSync(name);
        return unnamed;
      }
      names.push(name);
      return name;
    } catch (thrown) {
      remove();
      throw hostError(name, thrown);
    }
  };
  return {
    paths: drives.map((drive, index) =>
      isDiscardable(drive) ? make(`${prefix}-${index}.qcow2`) : undefined,
    ),
    remove,
  };
}
