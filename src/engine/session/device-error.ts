/** Errors of bytes, with the name of the device that they are on. */
import { CorruptError, type GuestfsError, UnsupportedError } from '../../base/index.js';

/** An error of what a device stands on, with the device's name. */
export function ofDevice(name: string, thrown: GuestfsError): GuestfsError {
  if (thrown instanceof CorruptError)
    return new CorruptError(`${name}: ${thrown.structure}`, thrown.problem, thrown.details, {
      cause: thrown,
    });
  if (thrown instanceof UnsupportedError)
    return new UnsupportedError(`${name}: ${thrown.structure}`, thrown.features, { cause: thrown });
  return thrown;
}
