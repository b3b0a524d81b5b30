/** The appliance room: the direct backend. */
export {
  type ExaminationOptions,
  type ExaminedSettings,
  examineAppliance,
  type Finding,
} from './examination.js';
export { startAppliance } from './launch.js';
export { type LaunchTrial, tryLaunch } from './launch-trial.js';
