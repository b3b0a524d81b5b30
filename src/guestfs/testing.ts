/** Ways into a handle for the tests of this package only: another backend, and another clock. */
import type { StartBackend } from '../api/index.js';
import type { Clock } from './events/progress.js';

/** The key of these options among the handle's options; not exported from the package. */
export const testing: unique symbol = Symbol('guestfs.testing');

export interface TestingOptions {
  readonly startBackend?: StartBackend;
  readonly clock?: Clock;
}
