/**
 * The methods of a handle. In the published package this module's declarations are generated from the tables, with
 * parameter names and texts, which a computed type cannot have.
 */
import type { ActionName } from './actions.js';
import type { ActionMethod, MethodName, OptsName } from './types.js';

/**
 * The methods of a handle, one for each action. An action that once had no optional arguments has a second one with
 * `Opts` after its name, as in the C library and its bindings.
 */
export type ActionMethods = { [N in ActionName as MethodName<N>]: ActionMethod<N> } & {
  [N in ActionName as OptsName<N>]: ActionMethod<N>;
};
