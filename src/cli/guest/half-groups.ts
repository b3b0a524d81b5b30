/** Volume groups of which a disk is missing: the volumes that lie wholly on the disks that are here can be used. */

import { GuestfsError } from '../../base/index.js';
import { bareMessage, type Guest } from './guest.js';
import { attempt } from './unreadable.js';

/**
 * Activates the volumes of which all is here, and says which are not. Whether there was anything to activate: the appliance
 * activates complete groups by itself.
 */
export async function activateHalfGroups({ g, controls, invocation }: Guest): Promise<boolean> {
  // Where nothing of LVM can be read there is no group to activate; the answers that follow say why.
  const { value: volumes = [] } = await attempt(g.lvsFull(controls));
  // The fifth letter of the attributes is the state.
  if (!volumes.some(({ lvAttr }) => lvAttr[4] !== 'a')) return false;
  try {
    await g.vgActivateAll(true, controls);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    invocation.note(bareMessage(thrown));
  }
  return true;
}
