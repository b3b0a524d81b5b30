/** Images of containers as sources of a filesystem: their layers by the OCI's layer.md. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Guestfs, makeFilesystem } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { archive } from '../../support/tar-archive.js';
import { checkExt, needs, toolEnvironment } from '../../support/tools.js';

const directory = scratchDirectory();
const quiet = { environment: false, stderr: null } as const;

type Member = readonly [name: string, contents: string, type?: '0' | '1' | '2' | '5', mode?: number];

const types = { '0': 'file', '1': 'hardlink', '2': 'symlink', '5': 'directory' } as const;

/** An archive; the contents of a link are its target. */
const tar = (members: readonly Member[]): Buffer =>
  archive(
    ...members.map(([name, contents, type = '0', mode = 0o644]) => ({
      ...{ name, mode, uid: 1000, gid: 1000, type: types[type], modifiedSeconds: 1_600_000_000 },
      ...(type === '0' ? { text: contents } : { linkName: contents }),
    })),
  );

/** A frame of zstd whose blocks are not compressed (RFC 8878, 3.1.1). */
function zstd(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000])];
  const number = (value: number, length: number): Buffer => {
    const field = Buffer.alloc(length);
    field.writeUIntLE(value, 0, length);
    return field;
  };
  parts.push(number(bytes.length, 4));
  for (let at = 0; at < bytes.length; at += 0x10000) {
    const block = bytes.subarray(at, at + 0x10000);
    parts.push(number(block.length * 8 + (at + block.length === bytes.length ? 1 : 0), 3), block);
  }
  return Buffer.concat(parts);
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

const packings = [(bytes: Buffer): Buffer => gzipSync(bytes), zstd, (bytes: Buffer): Buffer => bytes];
const packed = layers.map((members, index) => (packings[index % packings.length] ?? zstd)(tar(members)));
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
    const files = [...blobs].map(([name, text]) => ({ name, text }));
    const oci = join(directory, 'oci.tar');
    const marks = [
      { name: './oci-layout', text: '{}' },
      { name: './index.json', text: index(manifest) },
    ];
    writeFileSync(oci, gzipSync(archive(...marks, ...files)));
    assert.equal((await make(oci, 'oci-tar.img')).digest, digest);
    const saved = join(directory, 'saved.tar');
    const names = ['a/layer.tar', 'b/layer.tar', 'c/layer.tar', 'd/layer.tar', 'e/layer.tar', 'f/layer.tar'];
    writeFileSync(
      saved,
      archive(
        ...packed.map((text, number) => ({ name: names[number] ?? '', text })),
        // The empty layer once more, as docker has what is the same.
        { name: names[4] ?? '', type: 'symlink', linkName: '../d/layer.tar' },
        { name: names[5] ?? '', type: 'hardlink', linkName: 'd/layer.tar' },
        { name: 'config.json', text: '{}' },
        {
          name: 'manifest.json',
          text: JSON.stringify([{ Config: 'config.json', RepoTags: ['a:b'], Layers: names }]),
        },
      ),
    );
    assert.equal((await make(saved, 'saved.img')).digest, digest);
  });

  test('a whiteout that names no file is refused', async () => {
    for (const name of ['etc/.wh.', 'etc/.wh..', 'etc/.wh...']) {
      const saved = join(directory, 'hiding.tar');
      const list = JSON.stringify([{ Config: 'config.json', Layers: ['layer'] }]);
      writeFileSync(
        saved,
        archive(
          { name: 'layer', text: tar([[name, '']]) },
          { name: 'config.json', text: '{}' },
          { name: 'manifest.json', text: list },
        ),
      );
      await assert.rejects(make(saved, 'no.img'), { code: 'EIO', message: /whiteout of no file/ });
    }
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

  test('an image that umoci made is the tree that umoci unpacks', needsUmoci(), async () => {
    const [oci, bundle, final] = ['umoci', 'bundle', 'final'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    umoci('init', '--layout', oci);
    umoci('new', '--image', `${oci}:base`);
    umoci('unpack', '--image', `${oci}:base`, bundle);
    const root = join(bundle, 'rootfs');
    const at = (path: string): string => join(root, path);
    const layer = (name: string, change: () => void): void => {
      change();
      umoci('repack', '--refresh-bundle', '--image', `${oci}:${name}`, bundle);
    };
    layer('one', () => {
      for (const path of ['etc', 'usr/lib', 'usr/bin', 'var/cache/deep', 'tree/below', 'kept'])
        mkdirSync(at(path), { recursive: true });
      for (const path of [
        'etc/passwd',
        'etc/gone',
        'usr/lib/libc',
        'var/cache/deep/old',
        'tree/below/leaf',
        'file',
        'kept/a',
        'kept/b',
      ])
        writeFileSync(at(path), path.repeat(1000));
      symlinkSync('usr/lib', at('lib'));
      linkSync(at('etc/passwd'), at('etc/passwd-'));
      chownSync(at('usr/bin'), 7, 8);
      chmodSync(at('usr/bin'), 0o3775);
      utimesSync(at('file'), 1_234_567_890, 1_234_567_891);
    });
    layer('two', () => {
      for (const path of ['etc/gone', 'tree', 'file', 'var/cache/deep'])
        rmSync(at(path), { recursive: true });
      writeFileSync(at('tree'), 'a file now');
      mkdirSync(at('file'));
      writeFileSync(at('file/below'), 'a directory now');
      mkdirSync(at('var/cache/deep'));
      writeFileSync(at('var/cache/deep/new'), 'new');
      linkSync(at('etc/passwd'), at('etc/shadow'));
      chmodSync(at('kept/a'), 0o600);
    });
    layer('three', () => {
      rmSync(at('kept/b'));
      unlinkSync(at('lib'));
      symlinkSync('usr', at('lib'));
    });
    for (const name of ['base', 'one', 'two']) umoci('rm', '--image', `${oci}:${name}`);
    umoci('unpack', '--image', `${oci}:three`, final);
    await make(oci, 'umoci.img');
    await using g = new Guestfs({ ...quiet, backend: 'embedded' });
    g.addDriveRo(join(directory, 'umoci.img'));
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    const wanted = hostTree(join(final, 'rootfs'));
    const found: string[] = [];
    for (const path of (await g.find('/')).filter((name) => name !== 'lost+found')) {
      const { stMode, stUid, stGid, stNlink, stMtimeSec } = await g.lstatns(`/${path}`);
      const isLink = (stMode & 0o170000) === 0o120000;
      const isFile = (stMode & 0o170000) === 0o100000;
      const contents = isLink
        ? await g.readlink(`/${path}`)
        : isFile
          ? await g.checksum('sha256', `/${path}`)
          : '';
      found.push(entryLine(path, stMode, stUid, stGid, isFile ? stNlink : 0, stMtimeSec, contents));
    }
    assert.deepEqual(found.sort(), wanted);
  });
});

const entryLine = (...facts: readonly (string | number)[]): string => facts.join(' ');

function umoci(...words: readonly string[]): void {
  const { status, stderr } = spawnSync('umoci', words, { encoding: 'utf8', env: toolEnvironment });
  assert.equal(status, 0, stderr);
}

/** It unpacks as root, or maps all owners to one. */
function needsUmoci(): { skip?: string } {
  return process.getuid?.() === 0 ? needs('umoci') : { skip: 'not root, as whom umoci keeps owners' };
}

function hostTree(root: string, above = ''): string[] {
  const lines: string[] = [];
  for (const name of readdirSync(join(root, above))) {
    const path = join(above, name);
    const whole = join(root, path);
    const status = lstatSync(whole);
    const contents = status.isSymbolicLink()
      ? readlinkSync(whole)
      : status.isFile()
        ? createHash('sha256').update(readFileSync(whole)).digest('hex')
        : '';
    const links = status.isFile() ? status.nlink : 0;
    const seconds = Math.floor(status.mtimeMs / 1000);
    lines.push(entryLine(path, status.mode, status.uid, status.gid, links, seconds, contents));
    if (status.isDirectory()) lines.push(...hostTree(root, path));
  }
  return above === '' ? lines.sort() : lines;
}
