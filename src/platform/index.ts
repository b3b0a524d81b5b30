/** The platform room: what the engine takes from where it runs, which is Node. */
export { node } from './node.js';
