/** The platform room: what the engine takes from where it runs, which is Node. */
export type { DecoderThreadData } from './decoder.js';
export { node } from './node.js';
