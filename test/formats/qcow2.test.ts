/** New qcow2 images in which some clusters have a place. The layers that a session leaves are read by qemu-img. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newQcow2 } from '../../src/formats/index.js';

const clusterSize = 65536;
const image = (allocated: boolean | readonly number[]) =>
  newQcow2({ virtualSizeInBytes: 2 ** 30, clusterSize, version: 3, allocated });

test('allocated clusters lie one after another at the end of the file', () => {
  const { lengthInBytes, dataOffset, pieces } = image([3, 4, 9000]);
  assert.equal(lengthInBytes - dataOffset, 3 * clusterSize);
  for (const { offset, bytes } of pieces) assert.ok(offset + bytes.length <= dataOffset);
  // Header, refcounts and their table, L1, and an L2 table for each half of the disk, as 9000 is in the second.
  assert.equal(dataOffset, 6 * clusterSize);
});

test('an image without clusters is as long as one of which none was asked for', () => {
  assert.equal(image([]).lengthInBytes, image(false).lengthInBytes);
  assert.equal(image([]).dataOffset, image([]).lengthInBytes);
});

test('clusters that do not ascend, or lie behind the disk, are refused', () => {
  for (const clusters of [[4, 3], [3, 3], [-1], [2 ** 30 / clusterSize]])
    assert.throws(() => image(clusters), { code: 'EINVAL' }, String(clusters));
});
