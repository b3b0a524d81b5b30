import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  filesInPart,
  type ListingColumn,
  listingColumns,
  PartReader,
  partsOf,
  type TreeListing,
} from '../../src/api/index.js';

/** A listing whose numbers and paths tell their places. */
function listing(count: number, name: (index: number) => string): TreeListing {
  const columns = Object.fromEntries(
    listingColumns.map((column, place) => [
      column,
      Float64Array.from({ length: count }, (_, index) => index + place / 16),
    ]),
  ) as Record<ListingColumn, Float64Array>; // safe: all names are there
  return { count, paths: Array.from({ length: count }, (_, index) => `${name(index)}\0`).join(''), columns };
}

function joined(parts: readonly TreeListing[]): TreeListing {
  return {
    count: parts.reduce((sum, { count }) => sum + count, 0),
    paths: parts.map(({ paths }) => paths).join(''),
    columns: Object.fromEntries(
      listingColumns.map((name) => [
        name,
        Float64Array.from(parts.flatMap(({ columns }) => [...columns[name]])),
      ]),
    ) as Record<ListingColumn, Float64Array>, // safe: all names are there
  };
}

test('parts read back are the listing, however their bytes are cut', () => {
  const whole = listing(1500, (index) => `größe/${index}/\udcff${'x'.repeat(index % 13)}`);
  const bytes = Buffer.concat([...partsOf(whole)]);
  for (const step of [bytes.length, 1024 * 1024, 65_536, 4099, 7]) {
    const reader = new PartReader();
    const parts: TreeListing[] = [];
    for (let at = 0; at < bytes.length; at += step)
      parts.push(...reader.take(new Uint8Array(bytes.subarray(at, at + step))));
    reader.finish();
    assert.deepEqual(
      parts.map(({ count }) => count),
      [filesInPart, 1500 - filesInPart],
    );
    assert.deepEqual(joined(parts), whole, `steps of ${step}`);
  }
});

test('long paths make a part smaller', () => {
  const parts = [...partsOf(listing(300, (index) => `${index}${'y'.repeat(4000)}`))];
  assert.ok(parts.length > 5);
  for (const part of parts) assert.ok(part.length < 1024 * 1024);
});

test('an end within a part is an error', () => {
  const reader = new PartReader();
  const [part = new Uint8Array(0)] = partsOf(listing(3, String));
  assert.deepEqual([...reader.take(part.slice(0, -1))], []);
  assert.throws(() => reader.finish(), { code: 'EPROTO' });
});
