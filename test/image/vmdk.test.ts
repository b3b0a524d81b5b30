/** VMDK images of every kind: what is read equals what qemu-img reads. */
import assert from 'node:assert/strict';
import { vmdk } from '../../src/image/vmdk/index.js';
import { testImageConformance } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('vmdk');

/** What qemu-img says of each extent. */
interface ToldExtent {
  readonly filename: string;
  readonly 'cluster-size'?: number;
  readonly compressed?: boolean;
  /** Empty where the extent is the image itself. */
  readonly format: string;
}

testImageConformance({
  format: vmdk,
  directory,
  cases: readCases(directory),
  compareFacts(info, told) {
    const { data } = told['format-specific'] as {
      data: { cid: number; 'parent-cid': number; 'create-type': string; extents: ToldExtent[] };
    };
    assert.equal(info.facts['create-type'], data['create-type']);
    assert.equal(Number.parseInt(String(info.facts.cid), 16), data.cid);
    assert.equal(Number.parseInt(String(info.facts['parent-cid'] ?? 'ffffffff'), 16), data['parent-cid']);
    const [first] = data.extents;
    if (first?.format === '') {
      assert.equal(info.facts['cluster-size'], first['cluster-size']);
      assert.equal(info.facts.compressed, first.compressed ?? false);
      assert.equal(info.extentFiles, undefined);
    } else assert.deepEqual(info.extentFiles, [...new Set(data.extents.map(({ filename }) => filename))]);
  },
  damage: {
    images: ['sparse', 'zeroed', 'stream', 'stream-cut', 'many', 'top', 'esx-2'].map(
      (name) => `${name}.vmdk`,
    ),
    // The headers, the descriptors, the tables, and of a stream the footer.
    places: (image) => [
      [0, Math.min(image.length, 0xa00)],
      [0, Math.min(image.length, 128 * 1024)],
      [Math.max(0, image.length - 4096), image.length],
    ],
    milliseconds: 2000,
  },
});
