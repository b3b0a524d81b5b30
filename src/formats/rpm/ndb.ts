/** ndb, rpm's own database format (`Packages.db`): slots that say where the headers are. SUSE uses it. */
import {
  type ByteSource,
  CorruptError,
  decodeLatin1,
  readMaybe,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import { packageLimit } from '../guests/application.js';
import { PagedValue } from '../paged-value.js';
import {
  ndbBlobHead,
  ndbBlobTail,
  ndbBlockSize,
  ndbHeader,
  ndbMagic,
  ndbMagics,
  ndbPageSize,
  ndbSlot,
} from './layout.js';
import type { StoredPackage } from './stored-package.js';

const what = 'ndb database';
/** Bytes of a package that are read at once. */
const pieceSize = 16_384;

interface Slot {
  readonly number: number;
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
}

/** Whether a file is a database of this format. */
export function isNdb(start: Uint8Array): boolean {
  return decodeLatin1(start.subarray(0, ndbMagic.length)) === ndbMagic;
}

/** The packages, in the order of their places. */
export function* ndbPackages(file: ByteSource): Iterable<StoredPackage> {
  for (const slot of readSlots(file)) yield { number: slot.number, header: () => headerIn(file, slot) };
}

function readSlots(file: ByteSource): Slot[] {
  const start = readMaybe(file, 0, ndbHeader.size);
  if (start === undefined) throw new CorruptError(what, 'is cut short', { size: file.size });
  const { version, slotnpages } = ndbHeader.decode(start);
  if (version !== 0) throw new UnsupportedError(what, [`version ${version}`]);
  const slotsEnd = slotnpages * ndbPageSize;
  if (slotnpages < 1 || slotsEnd > file.size || slotsEnd / ndbSlot.size > packageLimit)
    throw new CorruptError(what, 'has an impossible number of slots', { slotnpages, size: file.size });
  const slots: Slot[] = [];
  for (let page = 0; page < slotsEnd; page += ndbPageSize) {
    const bytes = new Uint8Array(ndbPageSize);
    file.read(bytes, page);
    const view = viewOf(bytes);
    work.entries.spend(ndbPageSize / ndbSlot.size);
    for (let at = page === 0 ? ndbHeader.size : 0; at < ndbPageSize; at += ndbSlot.size) {
      const { magic, pkgidx, blkoff, blkcnt } = ndbSlot.decode(view, at);
      if (magic !== ndbMagics.slot) throw new CorruptError(what, 'has a damaged slot', { offset: page + at });
      if (blkoff === 0) continue;
      const slot = { number: pkgidx, offset: blkoff * ndbBlockSize, size: blkcnt * ndbBlockSize };
      const least = ndbBlobHead.size + ndbBlobTail.size;
      if (pkgidx === 0 || slot.size < least || slot.offset < slotsEnd || slot.offset + slot.size > file.size)
        throw new CorruptError(what, 'has a package outside it', { offset: page + at, blkoff, blkcnt });
      slots.push(slot);
    }
  }
  slots.sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, size } of slots) {
    if (offset < end) throw new CorruptError(what, 'has packages that overlap', { offset });
    end = offset + size;
  }
  return slots;
}

/** A header between its head and its tail, which both have its length. */
function headerIn(file: ByteSource, { number, offset, size }: Slot): PagedValue {
  const headBytes = new Uint8Array(ndbBlobHead.size);
  file.read(headBytes, offset);
  const head = ndbBlobHead.decode(headBytes);
  const blocks = Math.ceil((ndbBlobHead.size + head.bloblen + ndbBlobTail.size) / ndbBlockSize);
  const tailBytes = new Uint8Array(ndbBlobTail.size);
  file.read(tailBytes, offset + size - ndbBlobTail.size);
  const tail = ndbBlobTail.decode(tailBytes);
  if (
    head.magic !== ndbMagics.blobHead ||
    head.pkgidx !== number ||
    blocks * ndbBlockSize !== size ||
    tail.magic !== ndbMagics.blobTail ||
    tail.bloblen !== head.bloblen
  )
    throw new CorruptError(what, 'has a damaged package', { number, offset });
  return new PagedValue(head.bloblen, piecesOf(file, offset + ndbBlobHead.size, head.bloblen));
}

function* piecesOf(file: ByteSource, start: number, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < size; at += pieceSize) {
    const piece = new Uint8Array(Math.min(pieceSize, size - at));
    file.read(piece, start + at);
    yield piece;
  }
}
