/** Finds the function for an action by its name. */
import type { ActionName, ActionsBy, AsyncActionName } from '../../api/index.js';
import { UnsupportedError } from '../../base/index.js';
import { attributeHandlers } from '../actions/attributes.js';
import { blockDeviceHandlers } from '../actions/block-devices.js';
import { contentsHandlers } from '../actions/contents.js';
import { filesystemHandlers } from '../actions/filesystems.js';
import { listingHandlers } from '../actions/listing.js';
import { lvmHandlers } from '../actions/lvm.js';
import { mountHandlers } from '../actions/mounts.js';
import { partitionHandlers } from '../actions/partitions.js';
import { sessionHandlers } from '../actions/session.js';
import { walkOut, walkToColumns } from '../actions/walk.js';
import type { Call } from './call.js';
import type { OwnHandlers, TopicHandlers } from './handlers.js';
import type { inspectionHandlers } from './inspection-handlers.js';
import type { installedHandlers } from './installed-handlers.js';
import type { moreHandlers } from './more-handlers.js';
import type { writingHandlers } from './writing-handlers.js';

/** What nearly every session calls. */
const coreHandlers = {
  ...attributeHandlers,
  ...blockDeviceHandlers,
  ...contentsHandlers,
  ...filesystemHandlers,
  ...listingHandlers,
  ...lvmHandlers,
  ...mountHandlers,
  ...partitionHandlers,
  ...sessionHandlers,
} satisfies TopicHandlers;

type Later =
  | keyof typeof inspectionHandlers
  | keyof typeof installedHandlers
  | keyof typeof moreHandlers
  | keyof typeof writingHandlers;
type Handled = keyof typeof coreHandlers | Later;
/** Actions that the tables assign to others. */
type DoneElsewhere = ActionsBy<'handle' | 'table' | 'appliance'>;
/** Actions with neither a handler nor another place: there must be none. */
type Forgotten = Exclude<AsyncActionName, Handled | DoneElsewhere>;
/** Actions with two places: there must be none either. */
type Twice = Extract<Handled, DoneElsewhere> | Extract<keyof typeof coreHandlers, Later>;
type None<Names extends never> = Names;
/** Exported for the compiler. */
export type EveryActionIsPlaced = [None<Forgotten>, None<Twice>];

/** A handler whose arguments were checked against the table that types it. */
type AnyHandler = (call: Call, ...args: unknown[]) => unknown;
type HandlerTable = Readonly<Record<string, AnyHandler>>;

/** Internal calls of the handle, in addition to the actions. */
const ownCalls = { internal_walk: walkToColumns, internal_walk_out: walkOut } satisfies OwnHandlers;

// safe: callers give a handler what its table says
const core = { ...coreHandlers, ...ownCalls } as HandlerTable;
const inspection = async (): Promise<HandlerTable> => {
  const { inspectionHandlers, inspectionOwnCalls } = await import('./inspection-handlers.js');
  return { ...inspectionHandlers, ...inspectionOwnCalls } as HandlerTable;
};
const installed = async (): Promise<HandlerTable> =>
  (await import('./installed-handlers.js')).installedHandlers as HandlerTable;
const more = async (): Promise<HandlerTable> => {
  const { moreHandlers, moreOwnCalls } = await import('./more-handlers.js');
  return { ...moreHandlers, ...moreOwnCalls } as HandlerTable;
};

const writing = async (): Promise<HandlerTable> => {
  const { writingHandlers, writingOwnCalls } = await import('./writing-handlers.js');
  return { ...writingHandlers, ...writingOwnCalls } as HandlerTable;
};

const tellsInstalled = /^inspect_(?:list_applications|get_icon)/;
/** What is mostly in the table of inspection. */
const inspects = /^inspect_|^internal_(?:unreadable|session|inspection|os_info)$/;

/** The tables in which an action may be, the likely one first: each is loaded when it is looked into. */
function* tablesFor(action: string): Generator<HandlerTable | Promise<HandlerTable>> {
  yield core;
  if (tellsInstalled.test(action)) yield installed();
  const isLikely = inspects.test(action);
  yield isLikely ? inspection() : more();
  yield isLikely ? more() : inspection();
  yield writing();
}

/** The functions that were found before: to ask for a table that is loaded takes as long as a small call. */
const found = new Map<string, AnyHandler>();

/** The function for an action; UnsupportedError for an action that this engine lacks. */
export function findHandler(action: string): AnyHandler | Promise<AnyHandler> {
  return found.get(action) ?? searchHandler(action);
}

async function searchHandler(action: string): Promise<AnyHandler> {
  for (const loading of tablesFor(action)) {
    const table = await loading;
    const handler = Object.hasOwn(table, action) ? table[action] : undefined;
    if (handler === undefined) continue;
    found.set(action, handler);
    return handler;
  }
  throw new UnsupportedError('the embedded backend', [action], { elsewhere: 'appliance' });
}

/** The actions that this engine does. For tests. */
export async function handledActions(): Promise<ActionName[]> {
  const { inspectionHandlers } = await import('./inspection-handlers.js');
  const { installedHandlers } = await import('./installed-handlers.js');
  const { moreHandlers } = await import('./more-handlers.js');
  const { writingHandlers } = await import('./writing-handlers.js');
  // safe: handlers are typed by their names
  return Object.keys({
    ...coreHandlers,
    ...inspectionHandlers,
    ...installedHandlers,
    ...moreHandlers,
    ...writingHandlers,
  }) as ActionName[];
}
