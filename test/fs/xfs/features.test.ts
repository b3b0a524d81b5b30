/** Files that only some features give: those with pointers to their parents, and those on a realtime device. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewOf } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { xfs, xfsGeometry } from '../../../src/fs/xfs/index.js';
import { find, list, pathsOf, sha256OfDisk } from '../../support/tell.js';
import { openVolume } from '../conformance.js';
import { xfsVolumes } from './suite.js';

test('pointers to parents are no attributes of files', () => {
  const bytes = xfsVolumes.read('plain-parent');
  // They hold the names of entries, which nothing else does that is not a directory's.
  assert.ok(Buffer.from(bytes).includes('one-of-many-entries-899'));
  const fs = openVolume(xfs, new MemoryDisk(bytes));
  const geometry = xfsGeometry(fs, 'image');
  assert.deepEqual([geometry?.get('naming.parent'), geometry?.get('meta-data.exchange')], ['1', '1']);
  const paths = pathsOf(fs);
  assert.ok(paths.size > 900);
  for (const [path, inode] of paths) assert.deepEqual([...fs.xattrs(inode)], [], path);
  fs.close();
});

test('a file on a realtime device is refused as it is read, and others beside it are read', () => {
  const bytes = xfsVolumes.read('plain-v4');
  const view = viewOf(bytes);
  const size = 13_000;
  let changed = 0;
  // This version has no checksums; di_flags is at 90, and its lowest bit is that of realtime.
  for (let at = 0; at < bytes.length; at += 256)
    if (view.getUint16(at) === 0x494e && view.getBigUint64(at + 56) === BigInt(size)) {
      view.setUint16(at + 90, view.getUint16(at + 90) | 1);
      changed++;
    }
  assert.equal(changed, 1);
  const fs = openVolume(xfs, new MemoryDisk(bytes));
  const inode = find(fs, `sizes/${size}`);
  assert.equal(fs.stat(inode).sizeInBytes, size);
  assert.throws(() => fs.data(inode), { code: 'ENOTSUP', message: /realtime/, elsewhere: 'appliance' });
  assert.ok(list(fs, 'sizes').includes(String(size)));
  assert.equal(sha256OfDisk(fs.data(find(fs, 'sizes/300000'))).length, 64);
  fs.close();
});
