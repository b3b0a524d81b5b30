/** The appliance room: the direct backend. */
export {
  type ExaminationOptions,
  type ExaminedSettings,
  examineAppliance,
  type Finding,
} from './doctor/doctor.js';
export { type LaunchTrial, tryLaunch } from './doctor/launch-trial.js';
export { startAppliance } from './machine/launch.js';
