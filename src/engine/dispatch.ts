/** From an action's name to the function that does it. */
import type { ActionName, AsyncActionName } from '../api/index.js';
import { UnsupportedError } from '../base/index.js';
import { attributeHandlers } from './actions/attributes.js';
import { blockDeviceHandlers } from './actions/block-devices.js';
import { checksumHandlers } from './actions/checksums.js';
import { contentsHandlers } from './actions/contents.js';
import { extHandlers } from './actions/ext.js';
import { fileHandlers } from './actions/file.js';
import { filesystemHandlers } from './actions/filesystems.js';
import { grepHandlers } from './actions/grep.js';
import { imageInsideHandlers } from './actions/images-inside.js';
import { inspectionHandlers } from './actions/inspection.js';
import { listingHandlers } from './actions/listing.js';
import { lvmHandlers } from './actions/lvm.js';
import { mountHandlers } from './actions/mounts.js';
import { partitionHandlers } from './actions/partitions.js';
import { sessionHandlers } from './actions/session.js';
import { stringsHandlers } from './actions/strings.js';
import { transferHandlers } from './actions/transfer.js';
import { walkToColumns } from './actions/walk.js';
import type { ApplianceOnly, HandledByHandle } from './appliance-only.js';
import type { Call } from './call.js';
import type { TopicHandlers } from './handlers.js';

const handlers = {
  ...attributeHandlers,
  ...blockDeviceHandlers,
  ...checksumHandlers,
  ...contentsHandlers,
  ...extHandlers,
  ...fileHandlers,
  ...filesystemHandlers,
  ...grepHandlers,
  ...imageInsideHandlers,
  ...inspectionHandlers,
  ...listingHandlers,
  ...lvmHandlers,
  ...mountHandlers,
  ...partitionHandlers,
  ...sessionHandlers,
  ...stringsHandlers,
  ...transferHandlers,
} satisfies TopicHandlers;

/** The actions that this engine does. */
export const handledActions = Object.keys(handlers) as (keyof typeof handlers)[]; // safe: of that very object

/** Actions with neither a handler nor an entry in the list of what only the appliance does: there must be none. */
type Forgotten = Exclude<AsyncActionName, keyof typeof handlers | ApplianceOnly | HandledByHandle>;
/** Actions with both: there must be none either. */
type Twice = Extract<keyof typeof handlers, ApplianceOnly | HandledByHandle>;
type None<Names extends never> = Names;
export type EveryActionIsPlaced = [None<Forgotten>, None<Twice>];

/** Calls of the handle's own, beside the actions. */
const ownCalls = { internal_walk: walkToColumns };

type AnyHandler = (call: Call, ...args: unknown[]) => unknown;
// safe: runAction is given arguments that were checked against the table that types each handler
const byName = new Map(
  Object.entries({ ...handlers, ...ownCalls }) as [ActionName | keyof typeof ownCalls, AnyHandler][],
);

/** Runs an action whose arguments were checked against the table. */
export function runAction(
  call: Call,
  action: string,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
): unknown {
  const handler = byName.get(action as ActionName); // safe: a name that is none is not found
  if (handler === undefined) {
    throw new UnsupportedError('the embedded backend', [`${action} (the direct backend can do it)`]);
  }
  return handler(call, ...args, options);
}
