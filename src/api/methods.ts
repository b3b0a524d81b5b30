/**
 * The methods of a handle. In the published package this module's declarations are written from the tables, with
 * the names of the parameters and the texts, which a computed type cannot have.
 */
import type { ActionName } from './actions.js';
import type { ActionMethod, MethodName, OptsName } from './types.js';

/**
 * The methods of a handle, one for each action; and, for the actions that once had no optional arguments, another with
 * `Opts` behind its name, by which the C library and its bindings know the form that has them.
 */
export type ActionMethods = { [N in ActionName as MethodName<N>]: ActionMethod<N> } & {
  [N in ActionName as OptsName<N>]: ActionMethod<N>;
};
