/** The side door for programs that know that they will launch before they have loaded this room. */
export { type EngineThread, offerThread, startThread } from '../engine/thread/thread.js';
