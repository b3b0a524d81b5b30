/**
 * Which calls of a session would go over to the appliance, by what is on its drives: those that the appliance could do,
 * and no others. The engine is the real one; the appliance is only asked for.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { startEngine } from '../../src/engine/index.js';
import { autoStarter } from '../../src/guestfs/auto/auto-backend.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { testing } from '../../src/guestfs/testing.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { scratchDirectory } from '../support/scratch.js';

const directory = scratchDirectory();
const MiB = 2 ** 20;

/** What is on the drive, by the marks that are enough for it to be recognised. */
const contents: Readonly<Record<string, (image: Buffer) => void>> = {
  jfs(image) {
    image.write('JFS1', 0x8000);
    image.writeUInt32LE(4096, 0x8000 + 16);
    image.writeUInt32LE(512, 0x8000 + 24);
    image.writeUInt16LE(12, 0x8000 + 20);
    image.writeUInt16LE(9, 0x8000 + 28);
    image.writeUInt16LE(3, 0x8000 + 22);
  },
  apfs(image) {
    image.write('NXSB', 32);
    image.writeUInt16LE(1, 24);
    image.writeUInt32LE(4096, 36);
  },
  ReFS: (image) => image.write('\0\0\0ReFS\0', 0),
  crypto_LUKS: (image) => image.write('LUKS\xba\xbe\0\x01', 0, 'latin1'),
  linux_raid_member(image) {
    image.writeUInt32LE(0xa92b4efc, 4096);
    image.writeUInt32LE(1, 4100);
    image.writeBigUInt64LE(8n, 4096 + 144);
    image.write('0123456789abcdef', 4096 + 16);
  },
  drbd: (image) => image.writeUInt32BE(0x8374026b, image.length - 4096 + 60),
  swap(image) {
    image.writeUInt32LE(1, 1024);
    image.writeUInt32LE(100, 1028);
    image.write('SWAPSPACE2', 4086);
  },
  /** A drive of which Windows has made a dynamic disk: one partition of a type of its own. */
  LDM(image) {
    image.writeUInt8(0x42, 446 + 4);
    image.writeUInt32LE(63, 446 + 8);
    image.writeUInt32LE(8000, 446 + 12);
    image.writeUInt16LE(0xaa55, 510);
  },
  LVM2_member: (image) => readFixtureBuffer('lvm/one-a.img.gz').copy(image),
  nothing() {},
};

/** What becomes of a call: `over` where the appliance is wanted, else how it ended. */
async function fateOf(content: string, call: (g: Guestfs) => Promise<unknown>): Promise<string> {
  let wanted = 0;
  const startBackend = autoStarter({
    startEngine,
    startDirect: () => assert.fail('there is none'),
    checkDirect: async () => {
      wanted++;
      throw new GuestfsError('ENOENT', 'there is no appliance here');
    },
  });
  const options = { environment: false, backend: 'auto', stderr: null, [testing]: { startBackend } } as const;
  await using g = new Guestfs(options);
  const image = Buffer.alloc(64 * MiB);
  contents[content]?.(image);
  const path = join(directory, `${content}.img`);
  writeFileSync(path, image);
  g.addDrive(path, { readonly: true, format: 'raw' });
  await g.launch();
  const end = await call(g).then(
    () => 'done',
    (thrown: unknown) => (thrown instanceof GuestfsError ? thrown.code : String(thrown)),
  );
  return wanted > 0 ? 'over' : end;
}

const mount = (g: Guestfs): Promise<void> => g.mountRo('/dev/sda', '/');
const mountArray = (g: Guestfs): Promise<void> => g.mountRo('/dev/md127', '/');
const mountDynamic = (g: Guestfs): Promise<void> => g.mountRo('/dev/mapper/ldm_vol_X-Dg0_Volume1', '/');
const list = (g: Guestfs): Promise<unknown> => g.listFilesystems();
const inspect = (g: Guestfs): Promise<unknown> => g.inspectOs();

describe('a call on auto', () => {
  const expectations: readonly [
    content: string,
    what: string,
    call: (g: Guestfs) => Promise<unknown>,
    fate: string,
  ][] = [
    // Linux mounts it, and the engine does not.
    ['jfs', 'mount', mount, 'over'],
    ['jfs', 'list_filesystems', list, 'done'],
    ['jfs', 'inspect_os', inspect, 'over'],
    // Linux has no driver either.
    ['apfs', 'mount', mount, 'ENOTSUP'],
    ['apfs', 'list_filesystems', list, 'done'],
    ['apfs', 'inspect_os', inspect, 'ENOTSUP'],
    ['ReFS', 'mount', mount, 'ENOTSUP'],
    ['ReFS', 'inspect_os', inspect, 'ENOTSUP'],
    ['drbd', 'inspect_os', inspect, 'ENOTSUP'],
    // No filesystem, here or there.
    ['crypto_LUKS', 'mount', mount, 'EINVAL'],
    ['crypto_LUKS', 'inspect_os', inspect, 'ENOTSUP'],
    ['LVM2_member', 'mount', mount, 'EINVAL'],
    ['swap', 'mount', mount, 'EINVAL'],
    ['nothing', 'mount', mount, 'EINVAL'],
    // What members form has names that the engine does not know.
    ['linux_raid_member', 'mount', mount, 'EINVAL'],
    ['linux_raid_member', 'mount of an array', mountArray, 'over'],
    ['linux_raid_member', 'list_filesystems', list, 'over'],
    ['linux_raid_member', 'inspect_os', inspect, 'over'],
    ['LDM', 'mount of a dynamic volume', mountDynamic, 'over'],
    ['LDM', 'list_filesystems', list, 'over'],
    ['LDM', 'inspect_os', inspect, 'over'],
    ['LDM', 'list_ldm_volumes', (g) => g.listLdmVolumes(), 'over'],
    ['nothing', 'mount of an array', mountArray, 'ENOENT'],
    ['nothing', 'mount of a dynamic volume', mountDynamic, 'ENOENT'],
    ['nothing', 'list_ldm_volumes', (g) => g.listLdmVolumes(), 'done'],
    ['swap', 'inspect_os', inspect, 'done'],
  ];
  for (const [content, what, call, fate] of expectations)
    test(`${what}, on ${content}: ${fate}`, async () => {
      assert.equal(await fateOf(content, call), fate);
    });
});
