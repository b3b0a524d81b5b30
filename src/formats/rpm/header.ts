/**
 * A package's header as rpm stores it: an index of tags, and their values. Without the magic that it has in a package
 * file. What is wanted stands near its beginning, so that the rest, lists of files above all, is never read.
 */
import { CorruptError, decodeText, viewOf, work } from '../../base/index.js';
import type { Application } from '../guests/application.js';
import { partOf, type StoredValue } from '../paged-value.js';
import { headerIntro, indexEntry, mostHeaderData, mostIndexEntries, tags, types } from './layout.js';

/** What rpm says for a value that is not there; libguestfs passes that on. */
const absent = '(none)';
/** Descriptions have a few kilobytes. */
const longestText = 1024 * 1024;
/** How far inside the values a wanted one may lie: before it are lists of files at most. */
const furthestText = 64 * 1024 * 1024;
/** A text is looked for in pieces of this many bytes. */
const textStep = 2048;

const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
  new CorruptError('rpm header', problem, details);

interface Place {
  readonly type: number;
  readonly offset: number;
}

const wanted: ReadonlySet<number> = new Set(Object.values(tags));

/** The places of the wanted tags. Of several entries for one tag the last counts: those of the installed package. */
function readIndex(value: StoredValue, count: number, dataSize: number): Map<number, Place> {
  const end = headerIntro.size + count * indexEntry.size;
  const view = viewOf(value.start(end));
  const places = new Map<number, Place>();
  work.entries.spend(count);
  for (let at = headerIntro.size; at < end; at += indexEntry.size) {
    const tag = indexEntry.get(view, at, 'tag');
    if (!wanted.has(tag)) continue;
    const { type, offset } = indexEntry.decode(view, at);
    if (offset >= Math.min(dataSize, furthestText)) throw corrupt('has a value outside it', { tag, offset });
    places.set(tag, { type, offset });
  }
  return places;
}

/** The first of the texts at a place: of several languages it is the untranslated one. */
function textAt(data: StoredValue, tag: number, place: Place | undefined): string {
  if (place === undefined) return absent;
  const { type, offset } = place;
  if (type !== types.string && type !== types.stringArray && type !== types.i18nString)
    throw corrupt('has a value of the wrong type', { tag, type });
  for (let length = textStep; ; length *= 2) {
    const text = data.start(offset + length).subarray(offset);
    const end = text.indexOf(0);
    if (end >= 0 && end <= longestText) return decodeText(text.subarray(0, end));
    if (length > longestText || offset + length >= data.size)
      throw corrupt('has a text without an end', { tag });
  }
}

const epochSize = 4;

function numberAt(data: StoredValue, tag: number, place: Place | undefined): number {
  if (place === undefined) return 0;
  const { type, offset } = place;
  if (type !== types.int32) throw corrupt('has a value of the wrong type', { tag, type });
  if (offset + epochSize > data.size) throw corrupt('has a value outside it', { tag, offset });
  // The calls have 32 bits with a sign, as libguestfs has.
  return viewOf(data.start(offset + epochSize)).getInt32(offset);
}

/** The package that a header describes. */
export function decodeRpmHeader(value: StoredValue): Application {
  if (value.size < headerIntro.size) throw corrupt('is cut short', { size: value.size });
  const { il, dl } = headerIntro.decode(value.start(headerIntro.size));
  if (il < 1 || il > mostIndexEntries || dl > mostHeaderData)
    throw corrupt('has an impossible size', { il, dl });
  const dataAt = headerIntro.size + il * indexEntry.size;
  if (dataAt + dl !== value.size)
    throw corrupt('has another size than it says', { size: value.size, il, dl });
  const places = readIndex(value, il, dl);
  const data = partOf(value, dataAt);
  if (!places.has(tags.name)) throw corrupt('has no name');
  const text = (tag: number): string => textAt(data, tag, places.get(tag));
  return {
    name: text(tags.name),
    epoch: numberAt(data, tags.epoch, places.get(tags.epoch)),
    version: text(tags.version),
    release: text(tags.release),
    arch: text(tags.arch),
    url: text(tags.url),
    sourcePackage: '',
    summary: text(tags.summary),
    description: text(tags.description),
  };
}
