/** The daemon's procedures by their names: of actions, and of internal calls. */
import { type Action, actions, type InternalCall, internal, isActionName } from '../../api/index.js';
import type { WireAction } from './codec.js';

const internalCalls: Readonly<Record<string, InternalCall>> = internal;

/** The internal calls that are procedures of the daemon. */
export const internalProcedures: Readonly<Record<string, WireAction>> = Object.fromEntries(
  Object.entries(internalCalls).flatMap(([name, { proc, args, result }]) =>
    proc === undefined || result.type === 'shaped' ? [] : [[name, { proc, args, result }]],
  ),
);

/** A procedure of the daemon by its name, of the API or internal; undefined for actions that the library does. */
export function wireAction(name: string): WireAction | undefined {
  if (isActionName(name)) {
    const action: Action = actions[name];
    // safe: its `proc` was looked at
    if (action.proc !== undefined) return action as WireAction;
  }
  return Object.hasOwn(internalProcedures, name) ? internalProcedures[name] : undefined;
}
