/** The drives of a suite as files in a directory of their own. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readFixture } from '../../support/fixtures.js';
import type { Suite } from '../scenario.js';

export interface DriveFile {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly label?: string;
  readonly blocksize?: 512 | 4096;
}

/** Runs `use` with the drives' files, which are gone afterwards. */
export async function withDriveFiles<T>(suite: Suite, use: (files: DriveFile[]) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-scenarios-'));
  try {
    const files = suite.drives.map(
      ({ fixture, sample, blankSizeInBytes = 0, format, label, blocksize }, index) => {
        const path = sample === undefined ? join(directory, `${index}.img`) : resolve('samples', sample);
        if (sample === undefined) {
          if (fixture === undefined) {
            writeFileSync(path, '');
            truncateSync(path, blankSizeInBytes);
          } else writeFileSync(path, readFixture(fixture));
        }
        return {
          path,
          format,
          ...(label === undefined ? {} : { label }),
          ...(blocksize === undefined ? {} : { blocksize }),
        };
      },
    );
    return await use(files);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
