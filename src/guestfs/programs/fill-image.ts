/** The key of the handle's member behind `makeFilesystem`; not exported from the package. */
export const fillImage: unique symbol = Symbol('guestfs.fillImage');
