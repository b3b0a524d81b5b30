/**
 * The door of what images are shipped in: tar archives (OVA, a cloud's `disk.raw`), and .gz, .xz, .zst, also one in the
 * other. They are looked for where no format of the image is given, and only outermost: no image names a file that lies
 * in one.
 */
export { listArchive } from './archive.js';
export type { UnpackOptions } from './compressed.js';
export { type ContainerCodec, findContainer } from './probe.js';
export { openPacked, type Unwrapped, unwrap } from './unwrap.js';
