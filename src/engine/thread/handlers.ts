/** The types of the engine's handlers: one function for each action, by its libguestfs name. */
import type {
  ActionName,
  Handler as ApiHandler,
  Handlers as ApiHandlers,
  InternalArguments,
  InternalName,
  InternalResult,
} from '../../api/index.js';
import type { Sink, Source } from '../host/data-sinks.js';
import type { Call } from './call.js';

/** What stands where the caller gave a fileIn or fileOut. */
export interface EngineFiles {
  readonly in: Source;
  readonly out: Sink;
}

/** Does one action: the call, the required arguments in order, the optional ones as an object. */
export type Handler<N extends ActionName> = ApiHandler<N, Call, EngineFiles>;

/** Handlers of some actions: `export const x = { … } satisfies Handlers<'mount' | …>`. */
export type Handlers<N extends ActionName> = ApiHandlers<N, Call, EngineFiles>;

/** Handlers of a topic, checked one by one against the table. */
export type TopicHandlers = { readonly [N in ActionName]?: Handler<N> };

/** Handlers of internal calls. */
export type OwnHandlers = {
  readonly [N in InternalName]?: (call: Call, ...args: InternalArguments<N>) => InternalResult<N>;
};
