/** A side door for programs that know, before they have loaded this room, that they will launch. */
export { type EngineThread, offerThread, startThread } from '../engine/thread/thread.js';
