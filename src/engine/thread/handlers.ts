/** The types of the engine's handlers: one function for each action, by its libguestfs name. */
import type {
  ActionName,
  Handler,
  InternalHandlerArguments,
  InternalName,
  InternalResult,
} from '../../api/index.js';
import type { FileInSource, FileOutSink } from '../host/data-sinks.js';
import type { Call } from './call.js';

/** The handler's objects for the caller's fileIn and fileOut arguments. */
interface EngineFiles {
  readonly in: FileInSource;
  readonly out: FileOutSink;
}

/** Does one action: the call, the required arguments in order, the optional ones as an object. */
type EngineHandler<N extends ActionName> = Handler<N, Call, EngineFiles>;

/** Handlers of a topic, checked one by one against the table. */
export type TopicHandlers = { readonly [N in ActionName]?: EngineHandler<N> };

/** Handlers of internal calls. */
export type OwnHandlers = {
  readonly [N in InternalName]?: (
    call: Call,
    ...args: InternalHandlerArguments<N, EngineFiles>
  ) => InternalResult<N>;
};
