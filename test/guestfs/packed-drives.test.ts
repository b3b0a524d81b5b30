/** Drives in what images are shipped in: those that a backend does not read, and several disks in one. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { BackendConfig, BackendEvents, DriveConfig } from '../../src/api/index.js';
import { withFormats } from '../../src/guestfs/auto/drives.js';
import { withDriveImages } from '../../src/guestfs/drives/drive-images.js';
import { drivesOfFiles, Guestfs, imageContainer, openImage } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { scratchDirectory } from '../support/scratch.js';
import { archive } from '../support/tar-archive.js';

const directory = scratchDirectory();

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

async function launched(
  backend: 'embedded' | 'direct' | 'auto',
  path: string,
): Promise<{ g: Guestfs; warnings: string[] }> {
  const warnings: string[] = [];
  const g = new Guestfs({ environment: false, backend, stderr: null });
  g.on('warning', (message) => warnings.push(String(message)));
  g.addDrive(path, { readonly: true });
  try {
    await g.launch();
    return { g, warnings };
  } catch (thrown) {
    await g.close();
    throw thrown;
  }
}

test('the appliance is not started with a compressed image: the error says to unpack it', async () => {
  const disk = readFixtureBuffer('ext/ext2-1k.img.gz');
  const packed = file('disk.img.gz', gzipSync(disk));
  await assert.rejects(launched('direct', packed), {
    code: 'ENOTSUP',
    message: /disk\.img\.gz: the gzip file: .*unpack it, and add the image itself/,
  });
  // The engine unpacks it, and `auto` goes over to no machine that could not.
  for (const backend of ['embedded', 'auto'] as const) {
    const { g } = await launched(backend, packed);
    assert.equal(await g.blockdevGetsize64('/dev/sda'), disk.length);
    await g.close();
  }
});

/** A disk of 1 KiB that begins with a text. */
const disk = (text: string): string => text.padEnd(1024, '.');

/** An appliance whose descriptor names three disks in another order than they lie in. */
function appliance(name: string): string {
  const names = ['c.img', 'a.img', 'b.img'];
  const references = names.map((href, index) => `<File ovf:id="f${index}" ovf:href="${href}"/>`).join('');
  const disks = [1, 2, 0].map((index) => `<Disk ovf:diskId="d${index}" ovf:fileRef="f${index}"/>`).join('');
  const text = `<Envelope><References>${references}</References><DiskSection>${disks}</DiskSection></Envelope>`;
  const members = [{ name: 'three.ovf', text }, ...names.map((each) => ({ name: each, text: disk(each) }))];
  return file(name, archive(...members.map((member) => ({ ...member, type: 'file' as const }))));
}

async function firstBytes(g: Guestfs, device: string): Promise<string> {
  return Buffer.from(await g.preadDevice(device, 5, 0)).toString();
}

test('of several disks in an archive the first is the drive, and a warning says how to open the others', async () => {
  const { g, warnings } = await launched('embedded', appliance('first.ova'));
  assert.equal(await firstBytes(g, '/dev/sda'), 'a.img');
  await g.close();
  assert.match(
    warnings.join(),
    /more disks than ‘a\.img’, which is opened: b\.img, c\.img; the option member/,
  );
});

test('a member is opened by its name, without a warning, also where the archive is compressed', async () => {
  const path = appliance('named.ova');
  const packed = file('named.ova.gz', gzipSync(readFileSync(path)));
  const warnings: string[] = [];
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.on('warning', (message) => warnings.push(String(message)));
  g.addDrive(path, { readonly: true, member: 'c.img' });
  g.addDrive(path, { readonly: true, member: './b.img', format: 'raw' });
  g.addDrive(packed, { readonly: true, member: 'b.img' });
  await g.launch();
  for (const [device, bytes] of Object.entries({ sda: 'c.img', sdb: 'b.img', sdc: 'b.img' }))
    assert.equal(await firstBytes(g, `/dev/${device}`), bytes);
  assert.deepEqual(warnings, []);
});

test('a member that is not there, or of what is no archive, is an error', async () => {
  const archived = appliance('wrong.ova');
  const plain = file('plain.img', Buffer.alloc(4096));
  for (const backend of ['embedded', 'direct'] as const)
    for (const [path, member, code, message] of [
      [
        archived,
        'd.img',
        'ENOENT',
        /wrong\.ova: .*no file ‘d\.img’; its disks are ‘a\.img’, ‘b\.img’, ‘c\.img’/,
      ],
      [plain, 'd.img', 'EINVAL', /plain\.img: is no archive, and has no disk ‘d\.img’/],
    ] as const) {
      await using g = new Guestfs({ environment: false, backend, stderr: null });
      g.addDrive(path, { readonly: true, member });
      await assert.rejects(g.launch(), { code, message });
    }
  const g = new Guestfs({ environment: false, stderr: null });
  assert.throws(() => g.addDrive('/dev/null', { member: 'a' }), { code: 'EINVAL' });
  assert.throws(() => g.addDrive('x', { member: 'a', protocol: 'nbd', server: ['host'] }), {
    code: 'EINVAL',
  });
});

test('the disks of an archive are told in the order of its descriptor, and are all drives of an image', async () => {
  const path = appliance('all.ova');
  const members = ['a.img', 'b.img', 'c.img'];
  assert.deepEqual(await imageContainer(path), { kind: 'tar', members });
  assert.deepEqual(await imageContainer(file('one.gz', gzipSync('x'))), { kind: 'gzip', members: [] });
  assert.equal(await imageContainer(file('plain.raw', Buffer.alloc(4096))), undefined);
  assert.deepEqual(await drivesOfFiles([path, '/dev/null', '/no/such/file'], undefined), [
    ...members.map((member) => ({ file: path, member })),
    { file: '/dev/null' },
    { file: '/no/such/file' },
  ]);
  assert.deepEqual(await drivesOfFiles([path], 'raw'), [{ file: path }]);
  const tree = readFixtureBuffer('ext/ext2-1k.img.gz');
  const whole = file(
    'whole.tar',
    archive(
      ...['empty.raw', 'tree.raw'].map((name) => ({
        name,
        type: 'file' as const,
        text: name === 'tree.raw' ? tree : disk('nothing'),
      })),
    ),
  );
  await using image = await openImage(pathToFileURL(whole), {
    environment: false,
    backend: 'embedded',
    stderr: null,
  });
  assert.equal(image.root, '/dev/sdb');
  assert.deepEqual(await image.g.listDevices(), ['/dev/sda', '/dev/sdb']);
});

test('the appliance is given each disk of an archive by its place, and after a hand-over too', async () => {
  const path = appliance('places.ova');
  const bytes = readFileSync(path);
  const begun: BackendConfig[] = [];
  const start = withDriveImages(async (config) => {
    begun.push(config);
    throw new Error('started');
  });
  const drives: DriveConfig[] = ['a.img', 'b.img'].map((member) => ({ path, readonly: true, member }));
  const config = { drives, policy: 'untrusted' } as unknown as BackendConfig; // safe: nothing else is looked at
  for (const each of [config, await withFormats(config)])
    await assert.rejects(start(each, {} as BackendEvents), /started/);
  for (const { drives: described } of begun)
    for (const [index, { image }] of described.entries()) {
      const { offset = 0, size = 0 } = image?.slice ?? {};
      assert.equal(bytes.toString('latin1', offset, offset + size), disk(`${'ab'[index]}.img`));
    }
  assert.equal(begun.length, 2);
});
