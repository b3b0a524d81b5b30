/** A session that goes over from the engine to the real appliance, with all that it was; and its end in the middle. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StartBackend } from '../../src/api/index.js';
import { startAppliance } from '../../src/appliance/index.js';
import { startEngine } from '../../src/engine/index.js';
import { autoStarter } from '../../src/guestfs/auto/auto-backend.js';
import { withDriveImages } from '../../src/guestfs/drives/drive-images.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { testing } from '../../src/guestfs/testing.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { leftLayer } from '../support/layers.js';
import { assertNothingLeft, launchTimeout, type Place, place, real } from './support.js';

/** A handle on `auto` whose temporary files are in a place; the cache of launches is the usual one. */
function autoHandle(where: Place, options: ConstructorParameters<typeof Guestfs>[0] = {}): Guestfs {
  const g = new Guestfs({ environment: false, backend: 'auto', stderr: null, ...options });
  g.setBackendSettings(['force_tcg']);
  g.setTmpdir(where.tmp);
  return g;
}

function image({ directory }: Place, fixture: string): string {
  const path = join(directory, fixture.replaceAll('/', '-'));
  writeFileSync(path, readFixtureBuffer(`${fixture}.gz`));
  return path;
}

/** What both backends tell of the state of a session in the same words. */
const stateOf = async (g: Guestfs): Promise<unknown[]> => [
  [...(await g.mountpoints())],
  await g.mounts(),
  await g.getUmask(),
  await g.blockdevGetro('/dev/sda'),
  await g.blockdevGetro('/dev/sdb'),
  await g.inspectGetRoots(),
  await g.ls('/'),
];

/** What both tell of LVM. The daemon lists no mounts on volumes while other volumes have no device. */
const volumesOf = async (g: Guestfs): Promise<unknown[]> => [
  (await g.lvs()).sort(),
  await g.vgs(),
  await g.pvs(),
  (await g.lvsFull()).map(({ lvName, lvAttr }) => `${lvName} ${lvAttr[4]}`).sort(),
  await g.ls('/'),
];

/** Starts the appliance by an action that only the appliance has. */
async function goOver(g: Guestfs): Promise<void> {
  assert.equal(g.backend, 'embedded');
  await g.utsname();
  assert.equal(g.backend, 'direct');
}

const timed = (options: object): object => ({ ...launchTimeout, ...options });

describe('a hand-over to the appliance', timed(real), () => {
  test('keeps mounts in mounts, places for them, flags, umask and the inspection', async (t) => {
    const where = place(t);
    await using g = autoHandle(where);
    g.addDrive(image(where, 'scenarios/ext4.img'), { readonly: true, format: 'raw' });
    g.addDrive(image(where, 'scenarios/disc.iso'), { readonly: true, format: 'raw' });
    g.addDrive('samples/debian.qcow2', { readonly: true });
    await g.launch();
    const [root] = await g.inspectOs();
    assert.ok(root);
    await g.mkmountpoint('/guest');
    await g.mkmountpoint('/disc');
    await g.mountRo('/dev/sda', '/guest');
    await g.mountOptions('ro,noatime', '/dev/sdb', '/guest/dir');
    await g.mountVfs('', 'iso9660', '/dev/sdb', '/disc');
    await g.mountLoop('/guest/arch/disc.iso', '/disc');
    await g.blockdevSetro('/dev/sda');
    await g.umask(0o27);
    const before = await stateOf(g);
    const release = await g.inspectGetProductName(root);
    await goOver(g);
    assert.deepEqual(await stateOf(g), before);
    assert.equal(await g.inspectGetProductName(root), release);
    assert.equal(await g.cat('/guest/hello.txt'), 'hello, world\n');
    await g.close();
    await assertNothingLeft(where);
  });

  test('keeps a filter of LVM, and the volumes that were activated of a group that misses a member', async (t) => {
    const where = place(t);
    await using g = autoHandle(where);
    for (const fixture of ['scenarios/half.img', 'scenarios/lvm1.img', 'scenarios/lvm2.img'])
      g.addDrive(image(where, fixture), { readonly: true, format: 'raw' });
    await g.launch();
    // What is found is activated, as far as that is possible.
    await assert.rejects(g.lvmSetFilter(['/dev/sda', '/dev/sdb']), { code: 'ENODEV' });
    await g.vgActivateAll(false);
    await assert.rejects(g.vgActivate(true, ['vg']), { code: 'ENODEV' });
    await g.mountRo('/dev/vg/here', '/');
    const before = await volumesOf(g);
    assert.equal(await g.cat('/f'), 'on the volume that is here\n');
    await goOver(g);
    assert.deepEqual(await volumesOf(g), before);
    assert.equal(await g.cat('/f'), 'on the volume that is here\n');
    await g.close();
    await assertNothingLeft(where);
  });

  test('keeps what was written to a read-only drive, and leaves its image as it was', async (t) => {
    const where = place(t);
    const path = image(where, 'scenarios/ext4.img');
    const bytes = readFileSync(path);
    const at = bytes.indexOf('hello, world\n');
    assert.ok(at > 0);
    const layer = await leftLayer(where.directory, { path }, (disk) => {
      disk.write(Buffer.from('HELLO, WORLD\n'), at);
    });
    const startEngineWithLayer: StartBackend = (config, events, signal) => {
      const drives = config.drives.map((drive) => ({ layer, ...drive }));
      return startEngine({ ...config, drives }, events, signal);
    };
    const startBackend = autoStarter({
      startEngine: startEngineWithLayer,
      startDirect: withDriveImages(startAppliance),
      checkDirect: async () => {},
    });
    await using g = autoHandle(where, { [testing]: { startBackend } } as object);
    g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    assert.equal(await g.cat('/hello.txt'), 'HELLO, WORLD\n');
    await goOver(g);
    assert.equal(await g.cat('/hello.txt'), 'HELLO, WORLD\n');
    await g.close();
    assert.deepEqual(readFileSync(path), bytes);
    await assertNothingLeft(where);
  });

  for (const [what, delayInMs] of Object.entries({ 'at its beginning': 0, 'while the machine starts': 300 }))
    test(`ends with a session that is killed ${what}, and leaves nothing`, async (t) => {
      const where = place(t);
      await using g = autoHandle(where);
      let quits = 0;
      g.on('subprocessQuit', () => quits++);
      g.addDrive(image(where, 'scenarios/ext4.img'), { readonly: true, format: 'raw' });
      await g.launch();
      const starting = new Promise<void>((resolve) => g.on('library', () => resolve()));
      const going = g.utsname();
      const rejected = assert.rejects(going);
      await starting;
      if (delayInMs > 0) await new Promise((resolve) => setTimeout(resolve, delayInMs));
      await g.killSubprocess();
      await rejected;
      assert.equal(quits, 1);
      assert.equal(g.state, 'config');
      await assertNothingLeft(where);
    });

  test('leaves no machine behind when the process is killed in the middle', async (t) => {
    const where = place(t);
    await killedProcess(t, where, image(where, 'scenarios/ext4.img'));
    await assertNothingLeft(where, 10_000);
  });
});

/** A process of its own, which is killed as soon as it has begun to start the appliance. */
async function killedProcess(t: TestContext, where: Place, path: string): Promise<void> {
  const library = fileURLToPath(new URL('../../src/guestfs/index.js', import.meta.url));
  const program = `
    import { Guestfs } from ${JSON.stringify(library)};
    const g = new Guestfs({ environment: false, backend: 'auto' });
    g.setBackendSettings(['force_tcg']);
    g.setTmpdir(${JSON.stringify(where.tmp)});
    g.addDrive(${JSON.stringify(path)}, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    g.on('library', () => setTimeout(() => console.log('starting'), 200));
    await g.utsname();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}
