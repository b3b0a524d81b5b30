/** Trees between host and guest: with GNU tar at the other end where it is installed, and with hostile archives. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type TarEntry, TarHeaderWriter, tarPadding } from '../../../src/formats/index.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { bytesOf, FakeDaemon, fails, run, writes } from './fake-daemon.js';

const scratch = mkdtempSync(join(tmpdir(), 'guestfs-copies-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
function freshDirectory(): string {
  const path = join(scratch, String(count++));
  mkdirSync(path);
  return path;
}

/** Everything in a directory: path, type, mode, size or target, seconds of change, link count. */
function describe(top: string): string[] {
  const lines: string[] = [];
  const visit = (directory: Buffer, prefix: string): void => {
    for (const name of readdirSync(directory, { encoding: 'buffer' }).sort(Buffer.compare)) {
      const path = Buffer.concat([directory, Buffer.from('/'), name]);
      const stats = lstatSync(path);
      const mode = (stats.mode & 0o7777).toString(8);
      const changed = Math.floor(stats.mtimeMs / 1000);
      const shown = `${prefix}${name.toString('latin1')}`;
      if (stats.isSymbolicLink()) lines.push(`${shown} link ${readlinkSync(path)}`);
      else if (stats.isDirectory()) lines.push(`${shown} directory ${mode} ${changed}`);
      else lines.push(`${shown} file ${mode} ${stats.size} ${stats.nlink} ${changed}`);
      if (stats.isDirectory()) visit(path, `${shown}/`);
    }
  };
  visit(Buffer.from(top), '');
  return lines;
}

/** A part of a tree has fewer names of a file than the file has. */
const withoutLinkCount = (line: string): string => line.replace(/( file \d+ \d+) \d+/, '$1');

const big = Buffer.from(Array.from({ length: 700_001 }, (_, index) => (index * 31) & 0xff));

/** A tree with what a tar archive finds hard. */
function makeTree(): string {
  const top = join(freshDirectory(), 'tree');
  mkdirSync(`${top}/sub/${'d'.repeat(120)}`, { recursive: true });
  writeFileSync(`${top}/empty`, '');
  writeFileSync(`${top}/sub/big`, big);
  writeFileSync(`${top}/block`, Buffer.alloc(512, 7));
  writeFileSync(Buffer.concat([Buffer.from(`${top}/raw`), Buffer.from([0xff, 0xe4])]), 'not UTF-8');
  writeFileSync(`${top}/sub/${'d'.repeat(120)}/${'f'.repeat(200)}`, 'long');
  linkSync(`${top}/block`, `${top}/sub/second name`);
  symlinkSync('../nowhere', `${top}/dangling`);
  symlinkSync('x'.repeat(300), `${top}/far`);
  chmodSync(`${top}/block`, 0o640);
  utimesSync(`${top}/block`, 1_000_000, 1_000_000);
  chmodSync(`${top}/sub`, 0o750);
  utimesSync(`${top}/sub`, 2_000_000, 2_000_000);
  return top;
}

/** What `copy_in` gives the daemon. */
async function archiveIn(path: string): Promise<{ archive: Buffer; daemon: FakeDaemon }> {
  let archive: Buffer = Buffer.alloc(0);
  const daemon = new FakeDaemon({
    is_dir: true,
    tar_in: async (source: unknown) => {
      archive = await bytesOf(source);
    },
  });
  await run(daemon, 'copy_in', [path, '/guest']);
  return { archive, daemon };
}

const directory = { stMode: 0o040755, stUid: 0, stGid: 0, stMtimeSec: 0 };

/** What `copy_out` makes of an archive. */
async function unpack(
  archive: Buffer,
  pieceLength = 8192,
  remotePath = '/guest/tree',
  into = freshDirectory(),
) {
  const daemon = new FakeDaemon({ lstatns: directory, tar_out: writes(archive, pieceLength) });
  await run(daemon, 'copy_out', [remotePath, into]);
  return { into, daemon };
}

test('a tree of the host is an archive that GNU tar unpacks to the same', needs('tar'), async () => {
  const top = makeTree();
  const { archive, daemon } = await archiveIn(`${top}/`);
  assert.equal(archive.length % 10240, 0);
  assert.deepEqual(daemon.procedures, ['is_dir', 'tar_in']);
  assert.equal(daemon.calls[1]?.args[1], '/guest');
  const into = freshDirectory();
  execFileSync('tar', ['-xpf', '-', '-C', into], { input: archive, env: toolEnvironment });
  assert.deepEqual(describe(`${into}/tree`), describe(top));
  assert.ok(readFileSync(`${into}/tree/sub/big`).equals(big));
});

test('of a path that ends in . or .. the contents go in, as GNU tar packs them', needs('tar'), async () => {
  const top = makeTree();
  symlinkSync('sub', `${top}/link`);
  for (const [path, expected] of [
    [`${top}/.`, top],
    [`${top}/./`, top],
    [`${top}/sub/..`, top],
    [`${top}/link/..`, top],
    [`${top}/link/.`, `${top}/sub`],
  ] as const) {
    const { archive } = await archiveIn(path);
    const into = freshDirectory();
    execFileSync('tar', ['-xpf', '-', '-C', into], { input: archive, env: toolEnvironment });
    assert.deepEqual(describe(into).map(withoutLinkCount), describe(expected).map(withoutLinkCount), path);
    const names = execFileSync('tar', ['-tf', '-'], { input: archive, env: toolEnvironment }).toString();
    assert.ok(names.startsWith('./\n'), names);
  }
});

test('an archive of GNU tar becomes the same tree, in pieces of any length', needs('tar'), async () => {
  const top = makeTree();
  for (const format of ['gnu', 'pax', 'posix']) {
    const archive = execFileSync('tar', ['-C', top, `--format=${format}`, '-cf', '-', '.'], {
      env: toolEnvironment,
      maxBuffer: 1e8,
    });
    for (const pieceLength of [511, 8192]) {
      const { into } = await unpack(archive, pieceLength);
      assert.deepEqual(describe(`${into}/tree`), describe(top));
      assert.ok(readFileSync(`${into}/tree/sub/big`).equals(big));
    }
  }
});

test('what goes in comes out, a single file too', async () => {
  const top = makeTree();
  const { archive } = await archiveIn(`${top}/sub/big`);
  const { into } = await unpack(archive, 1000, '/');
  assert.ok(readFileSync(`${into}/big`).equals(big));
  assert.equal(statSync(`${into}/big`).mode, statSync(`${top}/sub/big`).mode);
  const { into: other } = await unpack(archive, 1000, '/guest/.');
  assert.deepEqual(describe(other), describe(into), 'of d/. the contents come out');
});

test('a file and a link of the guest are copied without an archive', async () => {
  const into = freshDirectory();
  const file = new FakeDaemon({
    lstatns: { stMode: 0o100604, stUid: 0, stGid: 0, stMtimeSec: 3_000_000 },
    download: writes('contents'),
  });
  writeFileSync(`${into}/f`, 'of before');
  await run(file, 'copy_out', ['/dir/f', into]);
  assert.equal(readFileSync(`${into}/f`, 'utf8'), 'contents');
  assert.equal(statSync(`${into}/f`).mode & 0o7777, 0o604);
  assert.equal(statSync(`${into}/f`).mtimeMs, 3_000_000_000);
  const link = new FakeDaemon({
    lstatns: { stMode: 0o120777, stUid: 0, stGid: 0, stMtimeSec: 0 },
    readlink: '/etc/passwd',
  });
  await run(link, 'copy_out', ['/dir/l', into]);
  assert.equal(readlinkSync(`${into}/l`), '/etc/passwd');
});

test('what is no directory of the host, or none of the guest, is refused', async () => {
  const daemon = new FakeDaemon({ is_dir: false });
  await assert.rejects(run(daemon, 'copy_in', [scratch, '/f']), { code: 'ENOTDIR' });
  await assert.rejects(run(daemon, 'copy_in', [`${scratch}/none`, '/']), { code: 'ENOENT' });
  await assert.rejects(run(daemon, 'copy_in', ['/', '/']), { code: 'EINVAL' });
  await assert.rejects(run(daemon, 'copy_out', ['/x', `${scratch}/none`]), { code: 'ENOTDIR' });
  const fifo = new FakeDaemon({ lstatns: { ...directory, stMode: 0o010644 } });
  await assert.rejects(run(fifo, 'copy_out', ['/x', scratch]), { code: 'EINVAL' });
});

test('a transfer that fails leaves no half of a file', async () => {
  const into = freshDirectory();
  const { archive } = await archiveIn(makeTree());
  const broken = new FakeDaemon({
    lstatns: directory,
    tar_out: async (path: string, sink: NodeJS.WritableStream) => {
      await writes(archive.subarray(0, Math.floor(archive.length * 0.7)))(path, sink);
      fails('EIO', 'the appliance went away')();
    },
  });
  await assert.rejects(run(broken, 'copy_out', ['/tree', into]), {
    message: 'the appliance went away',
  });
  const halves = readdirSync(into, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('big'))
    .filter((name) => statSync(join(into, name)).size !== big.length);
  assert.deepEqual(halves, []);
  const short = new FakeDaemon({ lstatns: directory, tar_out: writes(archive.subarray(0, 1024)) });
  await assert.rejects(run(short, 'copy_out', ['/tree', into]), { code: 'EIO' });
});

test('a file of the host that shrinks while it is read is an error', async () => {
  const path = join(freshDirectory(), 'f');
  writeFileSync(path, big);
  const daemon = new FakeDaemon({
    is_dir: true,
    tar_in: async (source: AsyncIterable<Uint8Array>) => {
      let pieces = 0;
      for await (const _piece of source) if (++pieces === 2) truncateSync(path, 1000);
    },
  });
  await assert.rejects(run(daemon, 'copy_in', [path, '/']), { code: 'EIO', message: /shrank/ });
});

type Entry = Partial<TarEntry> & { readonly contents?: string };

/** An archive made of these entries. */
function archiveWith(...entries: readonly Entry[]): Buffer {
  const pieces: Buffer[] = [];
  const writer = new TarHeaderWriter({ write: (bytes) => pieces.push(Buffer.from(bytes)) }, false);
  for (const { contents = '', ...entry } of entries) {
    writer.write({
      name: './x',
      type: 'file',
      mode: 0o644,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      sizeInBytes: contents.length,
      modifiedSeconds: 0,
      linkName: '',
      userName: '',
      groupName: '',
      deviceMajor: 0,
      deviceMinor: 0,
      records: new Map(),
      ...entry,
    });
    pieces.push(Buffer.from(contents), Buffer.alloc(tarPadding(contents.length)));
  }
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}

const top = { name: './', type: 'directory', mode: 0o755 } as const;

test('no name leads out of the directory', async () => {
  const outside = freshDirectory();
  writeFileSync(`${outside}/secret`, 'secret');
  const attacks: (readonly Entry[])[] = [
    [top, { name: '../escaped', contents: 'x' }],
    [top, { name: './a/../../escaped', contents: 'x' }],
    [top, { name: './l', type: 'symlink', linkName: outside }, { name: './l/escaped', contents: 'x' }],
    [top, { name: './l', type: 'symlink', linkName: '..' }, { name: './l/escaped', contents: 'x' }],
  ];
  for (const attack of attacks) {
    const into = freshDirectory();
    await assert.rejects(unpack(archiveWith(...attack), 8192, '/tree', into), (thrown: { code?: string }) =>
      ['EIO', 'ENOTDIR', 'ENOENT'].includes(thrown.code ?? ''),
    );
    assert.deepEqual(readdirSync(into), ['tree']);
  }
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'secret');
});

test('what would lead out is left out with a warning, and the rest is copied', async () => {
  const outside = freshDirectory();
  writeFileSync(`${outside}/secret`, 'secret');
  const { into, daemon } = await unpack(
    archiveWith(
      top,
      { name: './l', type: 'symlink', linkName: outside },
      { name: './l/', type: 'directory', mode: 0o777 },
      { name: './l/escaped', contents: 'x' },
      { name: './h', type: 'hardlink', linkName: `${outside}/secret` },
      { name: './h', type: 'hardlink', linkName: '../secret' },
      { name: './s', type: 'symlink', linkName: `${outside}/secret` },
      { name: './s2', type: 'hardlink', linkName: './s' },
      { name: './good', contents: 'good' },
    ),
  );
  assert.deepEqual(readdirSync(`${into}/tree`).sort(), ['good', 'l', 's', 's2']);
  assert.equal(readlinkSync(`${into}/tree/s2`), `${outside}/secret`);
  assert.equal(daemon.warnings.length, 3, daemon.warnings.join('\n'));
  assert.match(daemon.warnings[0] ?? '', /^\/guest\/tree\/l: is the same name on the host/);
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.equal(statSync(`${outside}/secret`).nlink, 1);
});

test('a link that was there before is replaced and not followed, and an absolute name stays inside', async () => {
  const outside = freshDirectory();
  writeFileSync(`${outside}/secret`, 'secret');
  const archive = archiveWith(top, { name: './f', contents: 'new' }, { name: '/abs', contents: 'inside' });
  const into = freshDirectory();
  mkdirSync(`${into}/tree`);
  symlinkSync(`${outside}/secret`, `${into}/tree/f`);
  await unpack(archive, 8192, '/guest/tree', into);
  assert.equal(readFileSync(`${into}/tree/f`, 'utf8'), 'new');
  assert.equal(readFileSync(`${into}/tree/abs`, 'utf8'), 'inside');
  assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'secret');
});

test('what cannot be made without a program of the host is left out with a warning', async () => {
  const { into, daemon } = await unpack(archiveWith(top, { name: './pipe', type: 'fifo' }, { name: './f' }));
  assert.deepEqual(readdirSync(`${into}/tree`), ['f']);
  assert.equal(daemon.warnings.length, 1);
  assert.match(daemon.warnings[0] ?? '', /^\/guest\/tree\/pipe: a fifo is not copied/);
});

test('bytes that are no archive are an error, never a crash', async () => {
  const good = archiveWith(top, { name: `./${'n'.repeat(150)}`, contents: 'x'.repeat(600) });
  const rejects = (bytes: Buffer) =>
    assert.rejects(unpack(bytes), (thrown: { name?: string; code?: string }) =>
      /^(?:EIO|ENOTSUP|ENOENT)$/.test(thrown.code ?? ''),
    );
  await rejects(Buffer.alloc(0));
  await rejects(Buffer.alloc(700, 0x41));
  for (const length of [1, 511, 512, 1023, 1024, 2000]) await rejects(good.subarray(0, length));
  // The size, the checksum and the type of the first entry.
  for (const at of [0, 124, 148, 156]) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 0xff;
    await rejects(bad);
  }
});

test('set-id bits come out only where root copies from a guest that it trusts', async () => {
  const isRoot = process.getuid?.() === 0;
  for (const policy of ['untrusted', 'trusted'] as const) {
    const daemon = new FakeDaemon({
      lstatns: { stMode: 0o106755, stUid: 0, stGid: 0, stMtimeSec: 0 },
      download: writes(Buffer.from('program')),
    });
    daemon.policy = policy;
    const into = freshDirectory();
    await run(daemon, 'copy_out', ['/guest/program', into]);
    const expected = policy === 'trusted' && isRoot ? 0o6755 : 0o755;
    assert.equal(statSync(join(into, 'program')).mode & 0o7777, expected, policy);
  }
});
