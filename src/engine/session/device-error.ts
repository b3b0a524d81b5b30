/** Adds the name of a device to errors about its bytes. */
import { CorruptError, type GuestfsError, UnsupportedError } from '../../base/index.js';

/** An error from below a device, with the device's name. */
export function ofDevice(name: string, error: GuestfsError): GuestfsError {
  return error instanceof CorruptError || error instanceof UnsupportedError
    ? error.within(name, name)
    : error;
}
