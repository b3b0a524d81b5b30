/**
 * Finishes what the log has begun and not done, as a mount does (the kernel's fs/xfs/xfs_bmap_item.c,
 * xfs_exchmaps_item.c and xfs_attr_item.c), but in memory: what becomes of inodes goes to `Replayed.pending`. What the
 * kernel refuses to finish is a CorruptError, since it does not mount then.
 */
import type { Replayed } from '../../replayed.js';
import type { XfsVolume } from '../../volume.js';
import type { Intents } from '../intents.js';
import { itemTypes } from '../layout.js';
import { Attributes } from './attributes.js';
import { Mappings } from './mappings.js';
import { Unfinished } from './unfinished.js';

export function finishIntents(volume: XfsVolume, { pending }: Replayed, { endian, open }: Intents): void {
  const unfinished = new Unfinished(volume, pending);
  const mappings = new Mappings(unfinished, endian);
  const attributes = new Attributes(unfinished, endian);
  for (const { type, regions } of open) {
    if (type === itemTypes.bui) mappings.finishMapping(regions);
    else if (type === itemTypes.xmi) mappings.finishExchange(regions);
    else attributes.finish(regions);
  }
}
