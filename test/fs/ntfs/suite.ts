/** NTFS for the conformance suite: volumes that foreign tools told of. */
import assert from 'node:assert/strict';
import { viewOf } from '../../../src/base/index.js';
import { ntfs } from '../../../src/fs/ntfs/index.js';
import { readFixture, readFixtureJson } from '../../support/fixtures.js';
import type { FileSystemSuite, Volume } from '../conformance.js';
import { VolumeFolder } from '../volumes.js';

const folder = new VolumeFolder('ntfs', 'img');
/** Where the table of upper case belongs, which the images are stored without. */
const upcasePlaces = readFixtureJson<Record<string, number>>('ntfs/upcase.json');

/** Puts the table into an image, which upcase.json knows by its name. */
export function restoreUpcase(bytes: Uint8Array, name: string): Uint8Array {
  const distances = viewOf(readFixture('ntfs/upcase.gz'));
  const at = upcasePlaces[name];
  assert.ok(at !== undefined);
  const table = new DataView(bytes.buffer, at, distances.byteLength);
  for (let i = 0; i < distances.byteLength / 2; i++)
    table.setUint16(2 * i, (i + distances.getUint16(2 * i, true)) & 0xffff, true);
  return bytes;
}

export const readVolume = (name: string): Uint8Array => restoreUpcase(folder.read(name), name);

const volumes: readonly Volume[] = folder.volumes((name) => ({
  read: () => readVolume(name),
  // The contents of WOF are in a stream of their own, which a file's blocks do not count.
  ...(name === 'windows' || name.startsWith('packed') ? { compressed: true } : {}),
}));

export const suite: FileSystemSuite = {
  driver: ntfs,
  volumes,
  damage: { volumes: ['plain', 'small-clusters', 'packed-512', 'windows'], milliseconds: 2500 },
};
