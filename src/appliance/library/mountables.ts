/** What a mountable is made of. */
import type { ActionName } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Composites } from './call.js';

/** `im_type` of a subvolume. */
const subvolumeType = 2;

export const mountableActions = {
  mountable_device: async (call, mountable) =>
    (await call.internal('internal_parse_mountable', [mountable])).imDevice,
  mountable_subvolume: async (call, mountable) => {
    const { imType, imVolume } = await call.internal('internal_parse_mountable', [mountable]);
    if (imType !== subvolumeType)
      throw new GuestfsError('EINVAL', `${mountable}: not a subvolume of a btrfs filesystem`);
    return imVolume;
  },
} satisfies Partial<Composites<ActionName>>;
