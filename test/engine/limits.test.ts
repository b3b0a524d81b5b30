/** The limits of a call, as a caller meets them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Guestfs, type GuestfsOptions } from '../../src/guestfs/index.js';
import { ext4Image } from './support.js';

async function withLimits(options: GuestfsOptions, use: (g: Guestfs) => Promise<void>): Promise<void> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null, ...options });
  g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
  await use(g);
}

describe('a limit of the handle', () => {
  test('ends the call that comes to it, by name, and not the next one', () =>
    withLimits({ limits: { entries: 80 } }, async (g) => {
      await g.launch();
      await g.mountRo('/dev/sda', '/');
      await assert.rejects(g.find('/'), {
        code: 'EDQUOT',
        action: 'find',
        message: /80 entries.*limit_entries=NUMBER/,
      });
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    }));

  test('as the backend setting that the error names goes before the option', () =>
    withLimits({ limits: { entries: 80 } }, async (g) => {
      g.setBackendSetting('limit_entries', '100000');
      await g.launch();
      await g.mountRo('/dev/sda', '/');
      assert.ok((await g.find('/')).length > 80);
    }));

  test('that is no number is refused: by the constructor, and by the launch where it is a backend setting', async () => {
    assert.throws(() => new Guestfs({ limits: { entries: 0 } }), RangeError);
    assert.throws(() => new Guestfs({ limits: { entry: 1 } as object }), TypeError);
    await withLimits({}, async (g) => {
      g.setBackendSetting('limit_entries', 'many');
      await assert.rejects(g.launch(), { code: 'EINVAL', action: 'launch', message: /limit_entries/ });
    });
  });
});
