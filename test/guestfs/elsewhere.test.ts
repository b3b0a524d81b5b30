/** What the embedded engine does not do: who else may, told once, and whether the call has changed anything before. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { Guestfs, UnsupportedError } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';

describe('what is not supported', () => {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-elsewhere-'));
  let g: Guestfs;

  before(async () => {
    const path = join(directory, 'ext4.img');
    writeFileSync(path, readFixtureBuffer('scenarios/ext4.img.gz'));
    g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mountRo('/dev/sda', '/');
  });
  after(async () => {
    await g.close();
    rmSync(directory, { recursive: true });
  });

  const failureOf = async (call: Promise<unknown>): Promise<UnsupportedError> => {
    try {
      await call;
    } catch (thrown) {
      assert.ok(thrown instanceof UnsupportedError, String(thrown));
      return thrown;
    }
    assert.fail('the call succeeded');
  };

  test('names who else does it, as data and once in the message', async () => {
    const cases: [Promise<unknown>, 'appliance' | 'nowhere', string][] = [
      [
        g.ntfsfix('/dev/sda'),
        'appliance',
        'ntfsfix: the embedded backend: not supported: ntfsfix (the direct backend can do it)',
      ],
      [
        g.tarOut('/', join(directory, 'x'), { compress: 'compress' }),
        'nowhere',
        'tar_out: compression: not supported: compress (the direct backend lacks it too)',
      ],
    ];
    for (const [call, elsewhere, message] of cases) {
      const error = await failureOf(call);
      assert.equal(error.elsewhere, elsewhere);
      assert.equal(error.message, message);
      assert.ok(!error.features.join().includes('backend'));
    }
  });

  test('is known to have left everything as it was where nothing was written before', async () => {
    assert.equal((await failureOf(g.ntfsfix('/dev/sda'))).untouched, true);
    const file = join(directory, 'new.tar');
    assert.equal((await failureOf(g.tarOut('/', file, { compress: 'bzip2' }))).untouched, true);
    assert.equal(existsSync(file), false);
    const stream = new PassThrough();
    stream.on('error', () => {}); // a stream is destroyed with its call
    assert.equal((await failureOf(g.tarOut('/', stream, { compress: 'bzip2' }))).untouched, true);
  });

  test('leaves a file of the caller as it was, so that the call can be made again', async () => {
    const file = join(directory, 'old.tar');
    writeFileSync(file, 'what was there');
    assert.equal((await failureOf(g.tarOut('/', file, { compress: 'bzip2' }))).untouched, true);
    assert.equal(readFileSync(file, 'utf8'), 'what was there');
  });

  test('has a launch that may be made elsewhere, since it changes nothing', async () => {
    const path = join(directory, 'disk.luks');
    const header = Buffer.alloc(64 * 1024);
    header.write('LUKS\xba\xbe\0\x01', 'latin1');
    writeFileSync(path, header);
    await using other = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    other.addDrive(path, { readonly: true });
    const error = await failureOf(other.launch());
    assert.equal(error.untouched, true);
    assert.match(error.message, /^launch: .*disk\.luks: luks image: not supported/);
    assert.deepEqual(readFileSync(path), header);
  });
});
