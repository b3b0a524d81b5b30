/**
 * The actions that are made of several of the daemon's, whose answers have no bound, or that it must be guarded from: by
 * their libguestfs names.
 */
import type { ActionName } from '../../api/index.js';
import { UnsupportedError } from '../../base/index.js';
import { Call, type Composite, libraryAction } from './call.js';
import { contentsActions } from './contents.js';
import { copyActions } from './copies.js';
import type { LibraryAction } from './daemon.js';
import { inspectionActions } from './inspection.js';
import { listingActions } from './listing.js';
import { listActions } from './lists.js';
import { mountableActions } from './mountables.js';
import { recordActions } from './records.js';
import { uploadActions } from './uploads.js';
import { walk } from './walk.js';

export type { Daemon, LibraryAction } from './daemon.js';

const composites = {
  ...contentsActions,
  ...copyActions,
  ...inspectionActions,
  ...listActions,
  ...listingActions,
  ...mountableActions,
  ...recordActions,
  ...uploadActions,
};

export const libraryActions: ReadonlyMap<string, LibraryAction> = new Map<string, LibraryAction>([
  ...Object.entries(composites).map(
    // safe: a composite stands under its own name
    ([name, composite]) => [name, libraryAction(name, composite as Composite<ActionName>)] as const,
  ),
  // The handle's own, behind its `walk`.
  [
    'internal_walk',
    async (daemon, [directory], _options, control) =>
      await walk(new Call(daemon, control), String(directory)),
  ],
  // Behind its `unreadable`.
  [
    'internal_unreadable',
    async () => {
      throw new UnsupportedError('the appliance', [
        'telling what it could not read (the embedded backend does)',
      ]);
    },
  ],
]);
