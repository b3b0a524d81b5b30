import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { fakeHandle, launchedHandle, rejectsWith } from './fake.js';

describe('names of devices', () => {
  test('canonicalDeviceName gives one name to a disk of any driver', async () => {
    const { g } = fakeHandle();
    for (const [given, expected] of [
      ['/dev/sda', '/dev/sda'],
      ['/dev/hda', '/dev/sda'],
      ['/dev/vda1', '/dev/sda1'],
      ['/dev/hdaa2', '/dev/sdaa2'],
      ['/dev/vdaaa', '/dev/sdaaa'],
      ['/dev/xvda', '/dev/sda'],
      ['/dev/ubda', '/dev/sda'],
      ['/dev/md127', '/dev/md127'],
      ['/dev/cciss/c0d0p1', '/dev/cciss/c0d0p1'],
      ['/dev/nvme0n1', '/dev/nvme0n1'],
      ['/dev/VG/LV', '/dev/VG/LV'],
      ['/dev/disk/guestfs/lab', '/dev/disk/guestfs/lab'],
      ['/dev/hda/x', '/dev/hda/x'],
      ['btrfsvol:/dev/vda1/x', 'btrfsvol:/dev/vda1/x'],
      ['//dev/vda', '//dev/vda'],
      ['foo', 'foo'],
    ] as const)
      assert.equal(await g.canonicalDeviceName(given), expected);
    await g.close();
  });

  test('a mapped logical volume has the name that the backend tells; others keep theirs', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    handle.backend.answers.set('lvm_canonical_lv_name', '/dev/VG/LV');
    assert.equal(await g.canonicalDeviceName('/dev/mapper/VG-LV'), '/dev/VG/LV');
    assert.deepEqual(handle.backend.last.args, ['/dev/mapper/VG-LV']);
    handle.backend.answers.clear();
    const other = g.canonicalDeviceName('/dev/dm-0');
    handle.backend.last.reject(new GuestfsError('EINVAL', 'no logical volume'));
    assert.equal(await other, '/dev/dm-0');
    const stop = new AbortController();
    const cancelled = g.canonicalDeviceName('/dev/dm-0', { signal: stop.signal });
    stop.abort();
    await rejectsWith(cancelled, 'ECANCELED', /cancelled/);
    const dying = g.canonicalDeviceName('/dev/dm-0');
    handle.backend.events.quit();
    await rejectsWith(dying, 'EIO', /backend ended/);
    assert.equal(await g.canonicalDeviceName('/dev/mapper/VG-LV'), '/dev/mapper/VG-LV', 'before launch');
    await g.close();
  });

  test('deviceIndex and deviceName go by the order of the drives', async () => {
    const { g } = fakeHandle();
    g.addDriveScratch(512);
    g.addDriveScratch(512);
    assert.equal(await g.deviceIndex('/dev/sda'), 0);
    assert.equal(await g.deviceIndex('/dev/vdb'), 1);
    assert.equal(await g.deviceName(1), '/dev/sdb');
    for (const device of ['/dev/sdc', '/dev/sda1', '/dev/md0', 'sda', '/dev/sdzzzzzzzz'])
      await rejectsWith(g.deviceIndex(device), 'ENODEV', `device_index: ${device}: device not found`);
    for (const index of [2, 99, -1])
      await rejectsWith(
        g.deviceName(index),
        'EINVAL',
        `device_name: there is no drive ${index}: there are 2`,
      );
    await g.close();
  });
});
