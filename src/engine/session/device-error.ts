/** Errors of bytes, with the name of the device that they are on. */
import { CorruptError, type GuestfsError, UnsupportedError } from '../../base/index.js';

/** An error of what a device stands on, with the device's name. */
export function ofDevice(name: string, error: GuestfsError): GuestfsError {
  return error instanceof CorruptError || error instanceof UnsupportedError ? error.within(name) : error;
}
