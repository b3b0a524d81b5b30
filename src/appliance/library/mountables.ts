/** What a mountable is made of. */

import type { ActionName } from '../../api/index.js';
import { isSubvolume, noSubvolume } from '../../formats/index.js';
import type { Composites } from './call.js';

export const mountableActions = {
  mountable_device: async (call, mountable) =>
    (await call.internal('internal_parse_mountable', [mountable])).imDevice,
  // The daemon's numbers for the types have changed between versions, but only a subvolume has a volume.
  mountable_subvolume: async (call, mountable) => {
    const imVolume = isSubvolume(mountable)
      ? (await call.internal('internal_parse_mountable', [mountable])).imVolume
      : '';
    if (imVolume === '') throw noSubvolume(mountable);
    return imVolume;
  },
} satisfies Partial<Composites<ActionName>>;
