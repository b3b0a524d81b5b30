/** Opens images for the golden walks. */
import { resolve } from 'node:path';
import { Guestfs } from '../../src/guestfs/index.js';
import { imageDirectory } from './truth.js';

/** Runs `use` with a launched handle on these images (paths, or names in the directory of images), read-only. */
export async function withImages<T>(names: string[], use: (g: Guestfs) => Promise<T>): Promise<T> {
  const g = new Guestfs({ backend: 'embedded' });
  try {
    for (const name of names) {
      const format = name.endsWith('.qcow2') ? 'qcow2' : 'raw';
      g.addDrive(resolve(imageDirectory, name), { readonly: true, format });
    }
    await g.launch();
    return await use(g);
  } finally {
    await g.close();
  }
}
