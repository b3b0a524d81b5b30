/**
 * The methods of a handle. In the published package this module's declarations are written from the tables, with
 * the names of the parameters and the texts, which a computed type cannot have.
 */
import type { ActionName } from './actions.js';
import type { ActionMethod, MethodName } from './types.js';

/** The methods of a handle, one for each action. */
export type ActionMethods = { [N in ActionName as MethodName<N>]: ActionMethod<N> };
