/** The formats room: formats and rules that need no input or output, for engine, appliance and command alike. */
export {
  type HostAttributes,
  HostCopy,
  type HostCopyOptions,
  lastNameOf,
  sourcesOf,
} from './host-copy.js';
export { hostNameProblem } from './host-names.js';
export type {
  HostAnswer,
  HostEntry,
  HostFile,
  HostPath,
  HostStep,
  HostSteps,
} from './host-steps.js';
