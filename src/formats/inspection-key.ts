/** How the answers of inspection's getters are found by their calls. */
import { canonicalDriveName } from './device-names.js';

/** The same for every spelling of the root's name. */
export function inspectionKey(action: string, [root]: readonly unknown[]): string {
  return typeof root === 'string' ? `${action} ${canonicalDriveName(root)}` : action;
}
