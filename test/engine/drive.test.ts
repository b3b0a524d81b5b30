/** An image is opened once: what was recognised is what is read, even if its name or its bytes change meanwhile. */
import assert from 'node:assert/strict';
import { linkSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { DriveConfig } from '../../src/api/index.js';
import { HostError } from '../../src/base/index.js';
import { type GrowableDisk, type Origin, usePlatform } from '../../src/disk/index.js';
import { openDrive } from '../../src/engine/session/drive.js';
import { node } from '../../src/platform/index.js';
import { fixtureBytes } from '../image/fixtures.js';
import { readFixture } from '../support/fixtures.js';
import { readAll } from '../support/gaits.js';
import { scratchDirectory } from '../support/scratch.js';

const directory = scratchDirectory();
const size = 1024 * 1024;

afterEach(() => usePlatform(node));

/** A drive of an image; `recognised` runs when its first bytes were read. And how often the image was opened. */
function openWatched(path: string, drive: Partial<DriveConfig>, recognised: () => void) {
  const opened: boolean[] = [];
  const watched = (file: GrowableDisk): GrowableDisk => {
    const read = file.read.bind(file);
    file.read = (into, offset) => {
      read(into, offset);
      file.read = read;
      recognised();
    };
    return file;
  };
  const origin = (name: string): Origin => {
    const host = node.origin(name);
    return {
      name: host.name,
      policy: host.policy,
      get identity() {
        return host.identity;
      },
      open(how) {
        opened.push(how.writable);
        return watched(host.open(how));
      },
      resolve: (named, purpose) => host.resolve(named, purpose),
    };
  };
  usePlatform({ ...node, processors: 1, origin });
  const context = {
    policy: 'untrusted',
    tmpdir: directory,
    warn: assert.fail,
    tell: assert.fail,
    progress: assert.fail,
  } as const;
  return { ...openDrive({ path, readonly: false, ...drive }, context), opened };
}

for (const readonly of [false, true]) {
  const how = readonly ? 'read-only' : 'writable';

  test(`${how}: a file that is renamed over between being recognised and read is still the one that is read`, () => {
    const path = join(directory, `replaced-${how}`);
    const kept = join(directory, `kept-${how}`);
    writeFileSync(path, Buffer.alloc(size, 'a'));
    linkSync(path, kept);
    const drive = openWatched(path, { readonly }, () => {
      const other = join(directory, `other-${how}`);
      writeFileSync(other, fixtureBytes('v3.qcow2'));
      renameSync(other, path);
    });
    assert.deepEqual(drive.opened, [!readonly]);
    assert.equal(drive.info?.format, 'raw');
    assert.ok(Buffer.alloc(size, 'a').equals(readAll(drive.disk)));
    drive.disk.write(Buffer.from('written'), 1000);
    drive.disk.flush();
    drive.disk.close();
    assert.equal(readFileSync(kept).includes('written'), !readonly);
    assert.deepEqual(readFileSync(path), Buffer.from(fixtureBytes('v3.qcow2')));
  });

  test(`${how}: a raw image that becomes a qcow2 image after it was recognised stays a raw one`, () => {
    const path = join(directory, `becomes-${how}`);
    writeFileSync(path, Buffer.alloc(size, 'a'));
    const image = Buffer.alloc(size);
    image.set(fixtureBytes('v3.qcow2').subarray(0, size));
    const drive = openWatched(path, { readonly }, () => writeFileSync(path, image, { flag: 'r+' }));
    assert.deepEqual(drive.opened, [!readonly]);
    assert.equal(drive.info?.format, 'raw');
    assert.ok(image.equals(readAll(drive.disk)));
    drive.disk.close();
  });

  test(`${how}: a qcow2 image that becomes a raw one after it was recognised is not read as a raw one`, () => {
    const path = join(directory, `qcow2-${how}`);
    const image = Buffer.from(fixtureBytes('v3.qcow2'));
    writeFileSync(path, image);
    assert.throws(
      () =>
        openWatched(path, { readonly }, () =>
          writeFileSync(path, Buffer.alloc(image.length, 'a'), { flag: 'r+' }),
        ),
      { name: 'CorruptError', message: /has no qcow2 magic/ },
    );
  });
}

test('an image that the host lets only be read is a drive where it is only read anyway, else the host’s error', () => {
  const path = join(directory, 'only-readable');
  const refused = new HostError('EROFS', `${path}: read-only file system`);
  const openRefused = () => {
    const origin = (name: string): Origin => {
      const host = node.origin(name);
      const open: Origin['open'] = (how) => {
        if (how.writable) throw refused;
        return host.open(how);
      };
      return { name: host.name, policy: host.policy, identity: host.identity, open, resolve: assert.fail };
    };
    usePlatform({ ...node, processors: 1, origin });
    const context = {
      policy: 'untrusted',
      tmpdir: directory,
      warn: assert.fail,
      tell: assert.fail,
      progress: assert.fail,
    } as const;
    return openDrive({ path, readonly: false }, context);
  };
  writeFileSync(path, readFixture('vdi/dynamic.vdi.gz'));
  const { disk, info } = openRefused();
  assert.equal(info?.format, 'vdi');
  assert.throws(() => disk.write(Uint8Array.of(1), 0), { code: 'EROFS' });
  disk.close();
  for (const image of [Buffer.alloc(size, 'a'), fixtureBytes('v3.qcow2')]) {
    writeFileSync(path, image);
    assert.throws(openRefused, (thrown) => thrown === refused);
  }
});
