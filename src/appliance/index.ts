/** The appliance room: the direct backend. */
export { startAppliance } from './launch.js';
