/** The appliance room: the direct backend. */
export { type CheckResult, checkAppliance } from './doctor/doctor.js';
export { type LaunchTrial, tryLaunch } from './doctor/launch-trial.js';
export { checkParts, startAppliance } from './machine/launch.js';
