/** From the name of a backend to what starts it. */
import type { StartBackend } from '../api/index.js';
import { GuestfsError } from '../base/index.js';
import { startEngine } from '../engine/index.js';

/** Throws GuestfsError (ENOTSUP) for a backend that this version does not have. */
export function findBackend(name: string): StartBackend {
  if (name === 'embedded' || name === 'auto') return startEngine;
  throw new GuestfsError(
    'ENOTSUP',
    `the ${name} backend is not part of this version; the embedded one is: choose it with the option ` +
      "`backend: 'embedded'`, setBackend, or LIBGUESTFS_BACKEND=embedded",
  );
}
