/** The side door for programs that know that they will launch before they have loaded this room. */
export { startThreadAhead } from '../engine/thread.js';
