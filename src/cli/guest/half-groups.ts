/** Volume groups with a missing disk: volumes that lie wholly on the present disks can be used. */

import { GuestfsError } from '../../base/index.js';
import type { Guest } from './guest.js';
import { attempt } from './unreadable.js';

/**
 * Activates the volumes that are complete and reports the others. Resolves to whether there was anything to activate;
 * the appliance activates complete groups by itself.
 */
export async function activateHalfGroups({ g, controls, invocation }: Guest): Promise<boolean> {
  // If nothing of LVM can be read, there is no group to activate, and later answers say why.
  const { value: volumes = [] } = await attempt(g.lvsFull(controls));
  // The fifth letter of the attributes is the state of the volume.
  if (!volumes.some(({ lvAttr }) => lvAttr[4] !== 'a')) return false;
  try {
    await g.vgActivateAll(true, controls);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    invocation.note(thrown.bareMessage);
  }
  return true;
}
