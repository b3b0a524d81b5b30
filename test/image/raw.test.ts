/** Raw images: the file is the disk, filled up to whole sectors. */
import { raw } from '../../src/image/raw.js';
import { testImageConformance } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('raw');

testImageConformance({
  format: raw,
  directory,
  cases: readCases(directory),
  damage: { images: ['sectors.raw', 'odd.raw'], places: (image) => [[0, image.length]], milliseconds: 200 },
});
