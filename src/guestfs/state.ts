/**
 * The states of a handle.
 *     config ──launch()──▶ launching ──▶ ready ⇄ busy
 *        ▲                     │           │
 *        └─────────────────────┴───────────┘   the launch failed, or the backend ended: shutdown(),
 *                                              killSubprocess(), or by itself
 * and `closed` from any of them, for good. The state is never stored: `Handle` derives it from its launch, session
 * and running call, so that it cannot disagree with them.
 */
import { GuestfsError } from '../base/index.js';

export type HandleState = 'config' | 'launching' | 'ready' | 'busy' | 'closed';

/** The numbers of `getState`, as in the C library. */
export const stateNumbers: Readonly<Record<Exclude<HandleState, 'closed'>, number>> = {
  config: 0,
  launching: 1,
  ready: 2,
  busy: 3,
};

/** For a call that came after `close`. */
export const closedError = (): GuestfsError => new GuestfsError('EBADF', 'the handle is closed');

/** For actions that are only possible before `launch`. */
export const notConfigError = (): GuestfsError =>
  new GuestfsError('EBADFD', 'this function can only be called in the config state');

/** For an action before there is a backend, or after it ended. */
export const notLaunchedError = (): GuestfsError =>
  new GuestfsError('EBADFD', 'call launch before using this function');

/** For an action during `launch`. */
export const stillLaunchingError = (): GuestfsError =>
  new GuestfsError('EBADFD', 'the launch is not done yet: await it before using this function');
