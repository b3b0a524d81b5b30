/**
 * Ways into a handle for the tests of this package, and for nobody else: another backend than those that there are,
 * and another clock.
 */
import type { StartBackend } from '../api/index.js';
import type { Clock } from './events/progress.js';

/** The key of these options in those of the handle; not exported from the package. */
export const testing: unique symbol = Symbol('guestfs.testing');

export interface TestingOptions {
  readonly startBackend?: StartBackend;
  readonly clock?: Clock;
}
