/** The failure of an action: the one place where an error gets the action's name, and says which backend may do more. */
import { isActionName, needsAppliance } from '../api/index.js';
import { asGuestfsError, type Elsewhere, type GuestfsError, UnsupportedError } from '../base/index.js';
import { Unreachable } from './auto/reason.js';

const elsewhereTexts: Readonly<Record<Elsewhere, string>> = {
  appliance: 'the direct backend may have it',
  nowhere: 'the direct backend lacks it too',
};

/** A message of the embedded engine about what it does not do, with who else may. */
export function withElsewhere(message: string, elsewhere: Elsewhere | undefined): string {
  return elsewhere === undefined ? message : `${message} (${elsewhereTexts[elsewhere]})`;
}

function remarkOn(error: GuestfsError, action: string): string | undefined {
  if (!(error instanceof UnsupportedError) || error.elsewhere === undefined) return undefined;
  if (error.cause instanceof Unreachable) return error.cause.message;
  return isActionName(action) && needsAppliance(action)
    ? 'the direct backend can do it'
    : elsewhereTexts[error.elsewhere];
}

/**
 * What was thrown as the failure of an action, or of a method that is none; an error that has a name already keeps
 * it.
 */
export function failureOf(action: string, thrown: unknown): GuestfsError {
  const error = asGuestfsError(thrown);
  return error.action === undefined ? error.of(action, remarkOn(error, action)) : error;
}
