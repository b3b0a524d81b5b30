/** Why a session goes over to the appliance, in the words that people read, and the error where it cannot. */
import { isActionName, needsAppliance } from '../../api/index.js';
import { GuestfsError, UnsupportedError } from '../../base/index.js';

/** What only the appliance can do. */
export interface Reason {
  /** `btrfs on /dev/sda3`, or the name of an action. */
  readonly text: string;
  /** The failure of the call, if the appliance cannot be started. */
  readonly error: UnsupportedError;
}

/** Why the appliance cannot do what a call wanted of it. */
export class Unreachable extends GuestfsError {
  override name = 'GuestfsError';

  constructor(failure: GuestfsError) {
    super(failure.code, `the appliance can do it, but cannot be started: ${failure.bareMessage}`, {
      cause: failure,
    });
  }
}

/** For an action that the tables give to the appliance alone; undefined for all others. */
export function reasonOfAction(action: string): Reason | undefined {
  if (!isActionName(action) || !needsAppliance(action)) return undefined;
  return reasonFor(action, 'the embedded backend', action);
}

/** For a call that the engine has refused, before it changed anything; undefined for all other errors. */
export function reasonOfFailure(thrown: unknown): Reason | undefined {
  if (!(thrown instanceof UnsupportedError) || thrown.elsewhere !== 'appliance' || !thrown.untouched)
    return undefined;
  const { structure, features } = thrown;
  const what = features.map((feature) => feature.replace(/^(?:reading|filesystem type) /, '')).join(', ');
  return {
    text: structure.startsWith('/dev/') ? `${what} on ${structure}` : `${structure}: ${what}`,
    error: thrown,
  };
}

/** For a thing that only the appliance may have, in the words of `UnsupportedError`. */
export function reasonFor(text: string, structure: string, feature: string): Reason {
  return {
    text,
    error: new UnsupportedError(structure, [feature], { elsewhere: 'appliance', untouched: true }),
  };
}

/** The failure of a call that only the appliance could do, where the appliance could not be started. */
export function withoutAppliance({ error }: Reason, failure: GuestfsError): UnsupportedError {
  const { structure, features, elsewhere, untouched } = error;
  return new UnsupportedError(structure, features, {
    elsewhere,
    untouched,
    cause: new Unreachable(failure),
  });
}
