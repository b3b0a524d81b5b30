/**
 * Actions that consist of several calls to the daemon, whose answers have no length limit, or whose calls need a
 * check before the daemon gets them. By their libguestfs names.
 */
import type { ActionsBy, AsyncActionName } from '../../api/index.js';
import { UnsupportedError } from '../../base/index.js';
import { archiveActions } from './archives.js';
import { libraryAction, type OwnComposites, type ProcedureName } from './call.js';
import { contentsActions } from './contents.js';
import { copyActions } from './copies.js';
import type { LibraryAction } from './daemon.js';
import { directoryPage } from './directory-pages.js';
import { inspectionActions, osInfo } from './inspection.js';
import { listingActions } from './listing.js';
import { listActions } from './lists.js';
import { mountableActions } from './mountables.js';
import { recordActions } from './records.js';
import { tellSession } from './session.js';
import { uploadActions } from './uploads.js';
import { walk, walkOut } from './walk.js';
import { zipOut } from './zip.js';

export type { Daemon } from './daemon.js';

const composites = {
  ...archiveActions,
  ...contentsActions,
  ...copyActions,
  ...inspectionActions,
  ...listActions,
  ...listingActions,
  ...mountableActions,
  ...recordActions,
  ...uploadActions,
};

/** Those that nobody does: there must be none. */
type Forgotten = Exclude<
  AsyncActionName,
  ProcedureName | keyof typeof composites | ActionsBy<'handle' | 'table'>
>;
type None<Names extends never> = Names;
/** Exported for the compiler. */
export type LibraryIsComplete = None<Forgotten>;

/** Internal calls, of the handle's own, that no procedure answers. */
const own = {
  internal_walk: walk,
  internal_walk_out: walkOut,
  internal_zip_out: zipOut,
  internal_unreadable: async () => {
    throw new UnsupportedError('the appliance', [
      'telling what it could not read (the embedded backend does)',
    ]);
  },
  internal_directory_page: directoryPage,
  internal_session: tellSession,
  internal_os_info: osInfo,
  internal_inspection: (call) => call.daemon('inspect_os', []),
} satisfies OwnComposites;

export const libraryActions: ReadonlyMap<string, LibraryAction> = new Map(
  Object.entries({ ...composites, ...own }).map(
    ([name, composite]) => [name, libraryAction(composite)] as const,
  ),
);
