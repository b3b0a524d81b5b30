/** Finds the function that starts a backend, by the backend's name. */
import type { StartBackend } from '../api/index.js';
import { GuestfsError } from '../base/index.js';
import { startEngine } from '../engine/index.js';
import { autoStarter } from './auto/auto-backend.js';
import { withDriveImages } from './drives/drive-images.js';

/** The appliance's code is loaded by the first launch that needs it. */
const startDirect = withDriveImages(async (config, events, signal) => {
  const { startAppliance } = await import('../appliance/index.js');
  return await startAppliance(config, events, signal);
});

const startAuto = autoStarter({
  startEngine,
  startDirect,
  checkDirect: async (config) => {
    const { checkParts } = await import('../appliance/index.js');
    checkParts(config);
  },
});

/** Throws GuestfsError (ENOTSUP) for a backend that this version lacks. */
export function findBackend(name: string): StartBackend {
  if (name === 'auto') return startAuto;
  if (name === 'embedded') return startEngine;
  if (name === 'direct') return startDirect;
  throw new GuestfsError(
    'ENOTSUP',
    `the ${name} backend is not part of this version; there are auto, embedded and direct: choose one with the option ` +
      "`backend: 'auto'`, setBackend, or LIBGUESTFS_BACKEND=auto",
  );
}
