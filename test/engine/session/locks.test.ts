/** Locks: the disk inside becomes a device, and the scan examines it like every other. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { plainCall } from '../../../src/engine/session/session-calls.js';
import type { LockKey } from '../../../src/volume/index.js';
import { readFixture } from '../../support/fixtures.js';
import { anyCall, boxed, kindsWith, locked, lockKind, type Scanned, scanOf } from './layers.js';

const key = (byte: number, whose?: string): LockKey => ({
  kind: 'raw',
  bytes: Uint8Array.of(byte),
  ...(whose === undefined ? {} : { for: whose }),
});

/** LVM in a lock whose key is 77. */
const scanned = (): Scanned => scanOf([locked(readFixture('lvm/big-4k.img.gz'), 77)], kindsWith(lockKind));

function unlock({ devices, scan }: Scanned, keys: readonly LockKey[], name = 'secret') {
  return scan.locks.unlock(devices.resolve('/dev/sda'), name, keys, { readonly: true }, anyCall);
}

test('the call that unlocked a device is kept until it is locked again, and longer if an inspection has seen it', () => {
  const all = scanned();
  const words = (): string[] => all.calls.list(() => true).map(({ action }) => action);
  const [open, close] = [plainCall('cryptsetup_open'), plainCall('cryptsetup_close')];
  const unlockBy = (): unknown =>
    all.scan.locks.unlock(all.devices.resolve('/dev/sda'), 'secret', [key(77)], { readonly: true }, open);
  unlockBy();
  assert.deepEqual(words(), ['cryptsetup_open']);
  all.scan.locks.lock('secret', close);
  assert.deepEqual(words(), []);
  unlockBy();
  all.calls.inspected(plainCall('inspect_os'));
  all.scan.locks.lock('secret', close);
  assert.deepEqual(words(), ['cryptsetup_open', 'inspect_os', 'cryptsetup_close']);
  all.calls.inspected(plainCall('inspect_os'));
  assert.deepEqual(words(), ['inspect_os']);
});

describe('a locked device', () => {
  test('shows nothing until it is unlocked, and then what is on the disk inside', () => {
    const all = scanned();
    assert.deepEqual(all.names(), ['/dev/sda']);
    const inside = unlock(all, [key(1), key(77)]);
    assert.equal(inside.name, '/dev/mapper/secret');
    assert.equal(inside.disk.writable, false);
    assert.deepEqual(all.names().sort(), ['/dev/big/vol', '/dev/big/vol2', '/dev/mapper/secret', '/dev/sda']);
    const sector = new Uint8Array(512);
    all.devices.resolve('/dev/big/vol').disk.read(sector, 512);
    assert.match(Buffer.from(sector).toString(), /^\/dev\/big\/vol 1\n/);
    all.scan.rescan();
    assert.equal(all.devices.resolve('/dev/mapper/secret'), inside);
  });

  test('is locked again, and all that was inside is gone', () => {
    const all = scanned();
    unlock(all, [key(77)]);
    all.scan.locks.lock('secret', anyCall);
    assert.deepEqual(all.names(), ['/dev/sda']);
    assert.throws(() => all.scan.locks.lock('secret', anyCall), { code: 'ENOENT' });
    unlock(all, [key(77)]);
    assert.ok(all.devices.find('/dev/big/vol'));
  });

  test('goes with its drive’s contents', () => {
    const disk = boxed(locked(readFixture('lvm/big-4k.img.gz'), 77), '');
    disk[450] = 0x83;
    disk.set([1, 0, 0, 0, 0xff, 0xff, 0, 0], 454);
    disk.set([0x55, 0xaa], 510);
    const all = scanOf([disk], kindsWith(lockKind));
    all.scan.locks.unlock(all.devices.resolve('/dev/sda1'), 'secret', [key(77)], { readonly: true }, anyCall);
    assert.ok(all.devices.find('/dev/big/vol'));
    disk.fill(0, 446, 462);
    all.scan.rescan(['/dev/sda']);
    assert.deepEqual(all.names(), ['/dev/sda']);
  });

  test('takes the keys of the session, each only for what it is for, and of the kinds that it knows', () => {
    const all = scanned();
    all.keys.push(key(77, '/dev/sdb'), { ...key(77), kind: 'file' }, key(77, 'another-uuid'));
    assert.throws(() => unlock(all, []), { code: 'EPERM' });
    all.keys.push(key(77, 'lock-uuid'));
    unlock(all, []);
    all.scan.locks.lock('secret', anyCall);
    all.keys.length = 0;
    unlock(all, [key(77, '/dev/sda')]);
  });
});

test('what is no lock, in use, or has a name that is taken is not unlocked', () => {
  const all = scanned();
  assert.throws(() => unlock(all, []), { code: 'EPERM' });
  for (const name of ['', '..', 'a/b'])
    assert.throws(() => unlock(all, [key(77)], name), { code: 'EINVAL', message: /no name of a device/ });
  unlock(all, [key(77)]);
  assert.throws(() => unlock(all, [key(77)], 'other'), { code: 'EBUSY', message: /\/dev\/sda/ });
  assert.throws(() => unlock(all, [key(77)]), { code: 'EEXIST', message: /\/dev\/mapper\/secret/ });
  assert.throws(
    () => all.scan.locks.unlock(all.devices.resolve('/dev/big/vol'), 'x', [], { readonly: true }, anyCall),
    {
      code: 'EINVAL',
      message: '/dev/big/vol: is not locked',
    },
  );
});

test('a lock that is only recognised is not implemented, by its name', () => {
  const luks = boxed(new Uint8Array(4096), '');
  luks.set(Buffer.from('LUKS\xba\xbe\0\x01', 'latin1'));
  const all = scanOf([luks]);
  assert.throws(() => unlock(all, [key(1)]), { code: 'ENOTSUP', message: /unlocking crypto_LUKS/ });
});
