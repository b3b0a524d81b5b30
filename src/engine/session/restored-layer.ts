/** What another session has written to a drive, brought back from the file in which it was left. */
import { GuestfsError, systemError } from '../../base/index.js';
import { type Disk, MappedDisk, platform } from '../../disk/index.js';
import { imageFormats } from '../../image/index.js';

/** Bytes that are copied at a time. */
const pieceInBytes = 1024 * 1024;

/** A file whose holes count as bytes: a cluster of zeroes that was written is one in a layer. */
function withoutHoles(file: Disk): Disk {
  const refuse = (): never => {
    throw systemError('EROFS', 'a layer that was left');
  };
  return {
    size: file.size,
    sectorSize: file.sectorSize,
    writable: false,
    read: (into, offset) => file.read(into, offset),
    span: (_offset, length) => ({ length, hole: false }),
    checkWritable: refuse,
    write: refuse,
    zero: refuse,
    flush: () => {},
    close: () => file.close(),
  };
}

/** What lies below a layer: nothing of it is read. */
const nothing = (size: number): Disk =>
  new MappedDisk(size, (offset) => ({ kind: 'hole', length: size - offset }), { name: 'below a layer' });

/**
 * Copies what a layer has onto a drive's own layer. The layer, a qcow2 image, stands over the same drive; what its
 * header names is not opened. Throws GuestfsError: the host's errors, CorruptError about the layer.
 */
export function restoreLayer(path: string, onto: Disk): void {
  const qcow2 = imageFormats.find(({ name }) => name === 'qcow2');
  if (qcow2?.open === undefined) throw new GuestfsError('ENOTSUP', `${path}: there is no reader for it`);
  const file = platform().origin(path, 'untrusted').open({ writable: false });
  let layer: Disk;
  try {
    layer = qcow2.open(withoutHoles(file), { openNamed: () => nothing(onto.size), warn: () => {} });
  } catch (thrown) {
    file.close();
    throw thrown;
  }
  try {
    const piece = new Uint8Array(pieceInBytes);
    const size = Math.min(layer.size, onto.size);
    for (let offset = 0; offset < size; ) {
      const { length, hole } = layer.span(offset, size - offset);
      const count = hole ? length : Math.min(length, piece.length);
      const bytes = piece.subarray(0, count);
      if (!hole) {
        layer.read(bytes, offset);
        onto.write(bytes, offset);
      }
      offset += count;
    }
  } finally {
    layer.close();
  }
}
