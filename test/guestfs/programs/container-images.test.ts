/** Images of containers as sources of a filesystem: their layers by the OCI's layer.md. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Guestfs, makeFilesystem } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { checkExt, needs } from '../../support/tools.js';

const directory = scratchDirectory();
const quiet = { environment: false, stderr: null } as const;

type Member = readonly [name: string, contents: string, type?: '0' | '1' | '2' | '5', mode?: number];

/** A ustar archive; the contents of a link are its target. */
function tar(members: readonly Member[]): Buffer {
  const blocks: Buffer[] = [];
  for (const [name, contents, type = '0', mode = 0o644] of members) {
    const header = Buffer.alloc(512);
    const size = type === '0' ? Buffer.byteLength(contents) : 0;
    const octal = (value: number, at: number, length: number) =>
      header.write(value.toString(8).padStart(length - 1, '0'), at);
    header.write(name);
    for (const [value, at] of [
      [mode, 100],
      [1000, 108],
      [1000, 116],
    ] as const)
      octal(value, at, 8);
    octal(size, 124, 12);
    octal(1_600_000_000, 136, 12);
    header.write(type, 156);
    if (type !== '0') header.write(contents, 157);
    header.write('ustar\x0000', 257);
    header.fill(' ', 148, 156);
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      148,
      7,
    );
    blocks.push(header);
    if (type === '0') blocks.push(Buffer.from(contents), Buffer.alloc((512 - (size % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const layers: readonly (readonly Member[])[] = [
  [
    ['etc/', '', '5', 0o755],
    ['etc/passwd', 'root'],
    ['etc/gone', 'gone'],
    ['var/cache/', '', '5', 0o755],
    ['var/cache/old', 'old'],
    ['var/cache/deep/old', 'old'],
    ['usr/lib/', '', '5', 0o755],
    ['usr/lib/libc', 'library'],
    ['lib', 'usr/lib', '2'],
    ['file', 'a file'],
    ['tree/leaf', 'leaf'],
    ['replaced/by', 'a file'],
  ],
  [
    // Before and behind its own whiteout: both stay.
    ['var/cache/first', 'first'],
    ['var/cache/.wh..wh..opq', ''],
    ['var/cache/last', 'last'],
    ['etc/.wh.gone', ''],
    ['.wh.tree', ''],
    ['tree/new', 'new'],
    ['replaced', 'now a file'],
    ['lib/added', 'by a link'],
    // To what a lower layer has, and to what follows.
    ['etc/shadow', 'etc/passwd', '1'],
    ['early', 'late', '1'],
    ['late', 'late', '0', 0o600],
    ['.wh..wh.plnk/1', 'of another tool'],
    ['etc/', '', '5', 0o700],
  ],
  [
    ['.wh.nothing', ''],
    ['.wh.file', ''],
  ],
  [],
];

const blobs = new Map<string, Buffer>();

function blob(contents: Buffer | string, mediaType: string, more: object = {}): object {
  const bytes = Buffer.from(contents);
  const hex = createHash('sha256').update(bytes).digest('hex');
  blobs.set(`blobs/sha256/${hex}`, bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length, ...more };
}

const packed = layers.map((members, index) => (index % 2 === 0 ? gzipSync(tar(members)) : tar(members)));
const config = blob('{}', 'application/vnd.oci.image.config.v1+json') as { digest: string };
const manifest = blob(
  JSON.stringify({
    schemaVersion: 2,
    config,
    layers: packed.map((bytes) => blob(bytes, 'application/vnd.oci.image.layer.v1.tar')),
  }),
  'application/vnd.oci.image.manifest.v1+json',
  { platform: { os: 'linux', architecture: 'amd64' } },
);
const attestation = blob('{}', 'application/vnd.oci.image.manifest.v1+json', {
  platform: { os: 'unknown', architecture: 'unknown' },
});
const index = (...manifests: readonly object[]): string => JSON.stringify({ schemaVersion: 2, manifests });

/** An image layout in a directory. */
function layout(name: string, manifests: readonly object[]): string {
  const place = join(directory, name);
  mkdirSync(join(place, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(place, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(place, 'index.json'), index(...manifests));
  for (const [path, bytes] of blobs) writeFileSync(join(place, path), bytes);
  return place;
}

const make = (source: string, image: string) => makeFilesystem(source, join(directory, image), quiet);

describe('images of containers', () => {
  test('layers are put on each other, and whiteouts hide what is below them alone', async () => {
    const source = layout('oci', [manifest, attestation]);
    const image = join(directory, 'oci.img');
    await make(source, 'oci.img');
    await using g = new Guestfs({ ...quiet, backend: 'embedded' });
    g.addDriveRo(image);
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    assert.deepEqual(
      (await g.find('/')).filter((name) => name !== 'lost+found'),
      [
        ...['early', 'etc', 'etc/passwd', 'etc/shadow', 'late', 'lib', 'replaced', 'tree', 'tree/new', 'usr'],
        ...['usr/lib', 'usr/lib/added', 'usr/lib/libc', 'var', 'var/cache', 'var/cache/first'],
        'var/cache/last',
      ],
    );
    assert.equal(await g.cat('/replaced'), 'now a file');
    assert.equal(await g.cat('/early'), 'late');
    const [passwd, shadow] = [await g.lstatns('/etc/passwd'), await g.lstatns('/etc/shadow')];
    assert.deepEqual([passwd.stIno, passwd.stNlink, passwd.stUid], [shadow.stIno, 2, 1000]);
    assert.equal((await g.lstatns('/etc')).stMode, 0o040700);
  });

  test('a layout in an archive, and what docker save writes, give the same image', async () => {
    const { digest } = await make(layout('again', [manifest]), 'again.img');
    const files = [...blobs].map(([name, bytes]) => [name, bytes.toString('latin1')] as const);
    // The names of members are latin1 here, and so are the bytes of the blobs.
    const archive = (members: readonly (readonly [string, string])[]): Buffer =>
      Buffer.concat([
        ...members.map(([name, contents]) => {
          const bytes = Buffer.from(contents, 'latin1');
          const whole = tar([[name, 'x'.repeat(bytes.length)]]).subarray(0, -1024);
          bytes.copy(whole, 512);
          return whole;
        }),
        Buffer.alloc(1024),
      ]);
    const oci = join(directory, 'oci.tar');
    writeFileSync(oci, gzipSync(archive([['oci-layout', '{}'], ['index.json', index(manifest)], ...files])));
    assert.equal((await make(oci, 'oci-tar.img')).digest, digest);
    const saved = join(directory, 'saved.tar');
    const list = JSON.stringify([{ Config: 'config.json', RepoTags: ['a:b'], Layers: ['0', '1', '2', '3'] }]);
    writeFileSync(
      saved,
      archive([
        ...packed.map((bytes, number) => [String(number), bytes.toString('latin1')] as const),
        ['config.json', '{}'],
        ['manifest.json', list],
      ]),
    );
    assert.equal((await make(saved, 'saved.img')).digest, digest);
  });

  test('several images, and blobs that are others, are refused', async () => {
    const other = { ...manifest, platform: { os: 'linux', architecture: 'arm64' } };
    await assert.rejects(make(layout('several', [manifest, other]), 'no.img'), {
      code: 'EINVAL',
      message: /holds 2 images \(linux\/amd64, linux\/arm64\)/,
    });
    await assert.rejects(make(layout('none', [attestation]), 'no.img'), { message: /without an image/ });
    const damaged = layout('damaged', [manifest]);
    const [, , name = ''] = [...blobs.keys()];
    writeFileSync(join(damaged, name), gzipSync(tar([['other', 'bytes']])));
    await assert.rejects(make(damaged, 'no.img'), { message: /another digest/ });
    const escaping = { mediaType: 'x', digest: 'sha256:../../../etc/passwd' };
    await assert.rejects(make(layout('escaping', [escaping]), 'no.img'), {
      message: /descriptor with the digest/,
    });
  });

  test('no name and no link leads out of the tree', async () => {
    const source = join(directory, 'away.tar');
    for (const members of [
      [['../outside', 'x']],
      [['a/../../outside', 'x']],
    ] as const satisfies readonly (readonly Member[])[]) {
      writeFileSync(source, tar(members));
      await assert.rejects(make(source, 'no.img'), { code: 'EPERM' });
    }
    writeFileSync(
      source,
      tar([
        ['loop', 'loop', '2'],
        ['loop/x', 'x'],
      ]),
    );
    await assert.rejects(make(source, 'no.img'), { code: 'ELOOP' });
    writeFileSync(
      source,
      tar([
        ['up', '../../../tmp', '2'],
        ['up/inside', 'x'],
      ]),
    );
    assert.equal((await make(source, 'up.img')).entries, 3);
  });

  test('e2fsck finds nothing to say', needs('e2fsck'), async () => {
    await make(layout('checked', [manifest]), 'checked.img');
    checkExt(join(directory, 'checked.img'));
  });
});
