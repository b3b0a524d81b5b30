/** The table of internal snapshots. Specification: "Snapshots". */
import { CorruptError, decodeText, GuestfsError, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { qcow2Layout } from '../../formats/index.js';
import type { ImageSnapshot } from '../format.js';
import type { Header } from './header.js';

const { limits, snapshotExtra, snapshotHeader } = qcow2Layout;

/** A snapshot, and where its L1 table is. */
interface Snapshot extends ImageSnapshot {
  readonly l1Offset: number;
  readonly l1Entries: number;
  /** Where its entry in the table ends. */
  readonly endOffset: number;
}

const structure = 'qcow2 snapshot table';

/** All snapshots in the order of the table, each read on demand. */
export function* listSnapshots(file: Disk, header: Header): Generator<Snapshot, void> {
  const { snapshotCount, snapshotTableOffset } = header;
  if (snapshotCount === 0) return;
  if (snapshotCount > limits.snapshots) {
    throw new CorruptError(structure, 'has too many entries', { count: snapshotCount });
  }
  if (snapshotTableOffset % 2 ** header.clusterBits !== 0) {
    throw new CorruptError(structure, 'is not aligned to a cluster', { offset: snapshotTableOffset });
  }
  const end = Math.min(file.size, snapshotTableOffset + limits.snapshotTableBytes);
  let at = snapshotTableOffset;
  for (let i = 0; i < snapshotCount; i++) {
    const head = snapshotHeader.decode(readInside(file, at, snapshotHeader.size, end));
    const extraSize = head.extra_data_size;
    if (extraSize > limits.snapshotExtraBytes) {
      throw new CorruptError(structure, 'has too much extra data', { index: i, size: extraSize });
    }
    const tail = readInside(
      file,
      at + snapshotHeader.size,
      extraSize + head.id_str_size + head.name_size,
      end,
    );
    const extra = extraSize >= snapshotExtra.size ? snapshotExtra.decode(tail) : undefined;
    const size = extra?.disk_size ?? header.sizeInBytes;
    at += Math.ceil((snapshotHeader.size + tail.length) / 8) * 8;
    yield {
      id: decodeText(tail.subarray(extraSize, extraSize + head.id_str_size)),
      name: decodeText(tail.subarray(extraSize + head.id_str_size)),
      createdAt: head.date_sec,
      virtualSizeInBytes: size - (size % 512),
      vmStateSizeInBytes: extra?.vm_state_size_large ?? head.vm_state_size,
      l1Offset: head.l1_table_offset,
      l1Entries: head.l1_size,
      endOffset: at,
    };
  }
}

/** The snapshot whose id is `wanted`; if there is none, the one whose name is. */
export function getSnapshot(snapshots: Iterable<Snapshot>, wanted: string): Snapshot {
  let found: Snapshot | undefined;
  for (const snapshot of snapshots) {
    work.entries.spend(1);
    if (snapshot.id === wanted) return snapshot;
    if (snapshot.name === wanted) found ??= snapshot;
  }
  if (!found) throw new GuestfsError('ENOENT', `the image has no internal snapshot ‘${wanted}’`);
  return found;
}

function readInside(file: Disk, offset: number, length: number, end: number): Uint8Array {
  if (offset + length > end) {
    throw new CorruptError(structure, 'reaches past its room', { offset, length, end });
  }
  const bytes = new Uint8Array(length);
  file.read(bytes, offset);
  return bytes;
}
