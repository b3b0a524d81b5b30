/** What the command says of slips that users of other programs make, and of what is wrong on this machine. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HostError, hostError, plainError, restoreError, UnsupportedError } from '../../src/base/index.js';
import { Failure } from '../../src/cli/command/failure.js';
import type { Invocation } from '../../src/cli/command/invocation.js';
import { reportFailure } from '../../src/cli/command/report.js';
import { compressionOf } from '../../src/cli/commands/tar-out.js';
import { openingFailure } from '../../src/cli/guest/guest.js';
import { GuestfsError } from '../../src/guestfs/index.js';
import { needs } from '../support/tools.js';
import { fails, guestfs, names, sample, scratch } from './command.js';

describe('slips', { concurrency: 4 }, () => {
  test('an image that is missing is 3 also without a command, however it is written', async () => {
    await Promise.all([
      fails(3, [join(scratch, 'such.qcow2')], /^guestfs: \S+\/such\.qcow2: no such file or directory/),
      fails(3, ['./x.img'], /\.\/x\.img: no such file/),
      fails(3, ['x.img:/etc'], /^guestfs: x\.img: no such file/),
      fails(3, [`${sample}/x`], /not a directory/),
      fails(3, [scratch], /is a directory/, /an image is a file/),
    ]);
  });

  test('letters that stand together with -a are told from a drive', async () => {
    await Promise.all([
      fails(2, ['ls', '-lah', sample], /-lah: -a does not stand .*adds a drive$/, /write -lh$/),
      fails(2, ['ls', '-la', `${sample}:/etc`], /-a does not stand/, /write -l$/),
      fails(2, ['cp', '-a', `${sample}:/etc`, scratch], /a path in an image$/, /leave -a out/),
    ]);
    const followed = await guestfs('ls', '-lh', sample);
    assert.equal(followed.status, 0, followed.err);
  });

  test('a long name with one dash is told from letters', async () => {
    await Promise.all([
      fails(2, ['find', sample, '-name', 'X'], /no option -name/, /write --name$/),
      fails(2, ['find', sample, '-maxdepth=1'], /no option -maxdepth=1/, /write --maxdepth=1$/),
      fails(2, ['ls', '-json', sample], /no option -json/, /write --json$/),
    ]);
  });

  test('an archive is not given the name of what it is not', async () => {
    const zip = join(scratch, 'x.zip');
    await fails(
      2,
      ['tar-out', `${sample}:/etc/apt`, zip],
      /tar archive.*\.zip promises/,
      /\.tar\.gz.*-z none/,
    );
    assert.ok(!existsSync(zip));
    const followed = await guestfs('tar-out', '-z', 'none', `${sample}:/etc/apt`, zip);
    assert.equal(followed.status, 0, followed.err);
    assert.equal(readFileSync(zip).toString('latin1', 257, 262), 'ustar');
    for (const name of ['x.tar.lz4', 'x.bz2', 'x.xz', 'x.7z', 'x.cpio', 'x.gz', 'X.ZIP'])
      assert.throws(() => compressionOf(name, undefined), /promises something else/, name);
    assert.equal(compressionOf('X.TAR.GZ', undefined), 'gzip');
    assert.equal(compressionOf('x.zip', 'zstd'), 'zstd');
    assert.equal(compressionOf('x', undefined), undefined);
  });

  test('the list of actions is not cut where it goes into a pipe', async () => {
    const { out } = await guestfs('actions');
    assert.ok(!out.includes('…'));
    assert.ok(out.split('\n').some((line) => line.length > 80));
  });
});

describe('what a call lacks', { concurrency: 4 }, () => {
  test('what changes the image is told to need --rw too, and what only reads is not', async () => {
    const copy = join(scratch, 'changed.qcow2');
    copyFileSync(sample, copy);
    const rw = /^hint: give --backend direct --rw, .*ntfsfix changes the image/;
    const fix = ['ntfsfix', '/dev/sda1'];
    await Promise.all([
      fails(5, ['call', '-i', sample, ...fix], /^guestfs: call: ntfsfix: .*not supported/, rw),
      fails(5, ['call', '-i', sample, 'sh', 'true', ':', ...fix], /^guestfs: call: sh: /, rw),
      fails(
        5,
        ['call', '-i', sample, 'sh', 'true'],
        /^guestfs: call: sh: /,
        /^hint: give --backend direct, which/,
      ),
      fails(5, ['call', '--rw', '-i', copy, ...fix], /: ntfsfix: /, /^hint: give --backend direct, which/),
    ]);
  });

  test('help and the list of actions say so before', async () => {
    const [rename, fix, sh, list] = await Promise.all([
      guestfs('help', 'rename'),
      guestfs('help', 'ntfsfix'),
      guestfs('help', 'sh'),
      guestfs('actions', '--json', 'scrub-file'),
    ]);
    assert.match(rename.out, /\nChanges what is on disks: guestfs call --rw\.\n$/);
    assert.match(fix.out, /\nNeeds the appliance, which guestfs call --rw boots\.\n$/);
    assert.match(sh.out, /\nNeeds the appliance, which guestfs call boots\.\n$/);
    const [facts] = JSON.parse(list.out) as { name: string; changesDisks: boolean }[];
    assert.deepEqual([facts?.name, facts?.changesDisks], ['scrub-file', true]);
  });

  test('help does not call -i a default where it is none', async () => {
    for (const command of ['call', 'df']) {
      const { out } = await guestfs(command, '--help');
      assert.match(out, /-i, --inspect/);
      assert.doesNotMatch(out, /the default\)\n.*--root/);
    }
    const { out } = await guestfs('ls', '--help');
    assert.match(out, /the default\)\n.*--root/);
  });
});

describe('hints come from what failed', { concurrency: 4 }, () => {
  /** The hint that the command gives of an error; undefined for none. */
  const hintOf = (error: Error): string | undefined => reportFailure(error, 'x').lines[1];
  const unsupported = (structure: string, elsewhere?: 'appliance' | 'nowhere'): string | undefined =>
    hintOf(new UnsupportedError(structure, ['a feature'], { elsewhere }));

  test('the other backend is named where it has more, and not where it has not', () => {
    assert.match(unsupported('x', 'appliance') ?? '', /--backend direct may be able/);
    assert.match(unsupported('list of applications', 'appliance') ?? '', /--backend direct may be able/);
    assert.match(unsupported('vmdk image') ?? '', /--backend direct may/);
    assert.match(unsupported('the embedded backend', 'appliance') ?? '', /^hint: give --backend direct/);
    assert.equal(unsupported('x', 'nowhere'), undefined);
    assert.equal(unsupported('the appliance'), undefined);
    assert.equal(unsupported('list of applications'), undefined);
  });

  test('compressions are refused by what each backend has', async () => {
    const out = (type: string) => [
      'call',
      '-i',
      sample,
      'tar-out',
      '/etc/apt',
      join(scratch, type),
      `compress:${type}`,
    ];
    await Promise.all([
      fails(5, out('bzip2'), /bzip2 \(the direct backend may have it\)$/, /--backend direct/),
      fails(5, out('compress'), /compress \(the direct backend lacks it too\)$/),
      fails(1, out('lzma'), /lzma: unknown type of compression$/),
      fails(1, ['call', '-i', sample, 'checksum', 'gost', '/etc/passwd'], /gost: unknown type of checksum$/),
    ]);
  });

  test('an image that may be read and not written is told to leave out --rw; trust is no matter of permissions', () => {
    const invocation = (rw: boolean) =>
      ({ options: { flag: (name: string) => rw && name === 'rw' } }) as unknown as Invocation;
    const hint = (error: Error, rw: boolean): string | undefined => {
      const failure = openingFailure(error, sample, invocation(rw), [sample]);
      assert.ok(failure instanceof Failure);
      return failure.hint;
    };
    const denied = hostError(sample, Object.assign(new Error('x'), { code: 'EACCES' }));
    const forbidden = hostError(sample, Object.assign(new Error('x'), { code: 'EPERM' }));
    assert.match(hint(denied, true) ?? '', /leave out --rw/);
    for (const error of [denied, forbidden])
      assert.match(hint(error, false) ?? '', /may not be read by this user/);
    const refused = new GuestfsError(
      'EPERM',
      `backing file ‘x’ of ${sample}: refused: why; open the image with policy 'trusted' if you do`,
    );
    assert.match(hint(refused, false) ?? '', /give --trust$/);
    assert.equal(
      hint(new GuestfsError('EPERM', '/var/tmp/.guestfs-0 belongs to the user 7'), false),
      undefined,
    );
  });
});

describe('files of this machine', { concurrency: 4 }, () => {
  test('what cannot be made is told of this machine, never of the guest, and nothing is left', async () => {
    const directory = join(scratch, 'taken');
    mkdirSync(directory);
    const dangling = join(scratch, 'dangling');
    symlinkSync('/no/such/file', dangling);
    const missing = /no such file or directory on this machine$/;
    await Promise.all([
      fails(1, ['cp', `${sample}:/etc/fstab`, '/proc/x'], missing),
      fails(1, ['cp', '-r', `${sample}:/etc/apt`, '/proc/x'], missing),
      fails(1, ['cp', `${sample}:/etc/fstab`, dangling], missing),
      fails(1, ['tar-out', `${sample}:/etc/apt`, '/proc/x.tar'], missing),
      fails(1, ['call', '-i', sample, 'download', '/etc/fstab', '/no/x'], missing),
      fails(1, ['call', '-i', sample, 'tar-out', '/etc/apt', '/no/x'], missing),
      fails(1, ['call', '-i', sample, 'copy-out', '/etc/apt', '/no'], /not a directory on this machine$/),
      fails(1, ['tar-out', `${sample}:/etc/apt`, directory], /is a directory on this machine$/),
      fails(1, ['cp', '-r', `${sample}:/etc/apt`, names], /on this machine, and is no directory$/),
      fails(1, ['cp', `${sample}:/etc/fstab`, '/dev/full'], /no space left on device on this machine$/),
    ]);
    assert.deepEqual(readdirSync(directory), []);
    assert.ok(!readdirSync(scratch).some((name) => name.startsWith('.guestfs-')));
  });

  test('a directory of settings that is missing is this machine’s, which is 1', async () => {
    for (const name of ['LIBGUESTFS_TMPDIR', 'LIBGUESTFS_CACHEDIR'])
      await fails(
        1,
        ['ls', sample],
        new RegExp(`${name}: /no/such: no such file.*on this machine$`),
        undefined,
        {
          [name]: '/no/such',
        },
      );
  });

  test('an error of the host keeps what it is on its way from the worker', () => {
    const error = hostError('/x', Object.assign(new Error('raw words'), { code: 'EACCES' }));
    const back = restoreError(plainError(error)).of('download');
    assert.ok(back instanceof HostError);
    assert.equal(back.message, 'download: /x: permission denied');
  });

  test('an error of Node itself is told in our words', () => {
    const thrown = Object.assign(new Error("EISDIR: illegal operation, rename '/a' -> '/b'"), {
      code: 'EISDIR',
      path: '/a',
      dest: '/b',
    });
    const { lines, status } = reportFailure(thrown, 'cp');
    assert.deepEqual(lines, ['guestfs: cp: /b: is a directory on this machine']);
    assert.equal(status, 1);
  });

  test('what else a launch needs is not told of the image, nor hinted at as of one', () =>
    fails(
      1,
      ['ls', '--backend', 'direct', sample],
      /^guestfs: ls: the hypervisor \/no\/such is missing/,
      undefined,
      {
        LIBGUESTFS_HV: '/no/such',
      },
    ));

  test(
    'a cache directory that others can write is refused, and not for the image',
    needs('qemu-system-x86_64', 'supermin'),
    async () => {
      const own = join(scratch, `cache/.guestfs-${process.geteuid?.()}`);
      mkdirSync(own, { recursive: true });
      chmodSync(own, 0o777);
      await fails(
        1,
        ['ls', '--backend', 'direct', sample],
        /^guestfs: ls: \S+ can be written by others .*LIBGUESTFS_CACHEDIR/,
        undefined,
        { LIBGUESTFS_CACHEDIR: join(scratch, 'cache') },
      );
    },
  );
});

test('lines of a program of the appliance stay lines, and forge none', () => {
  const error = new GuestfsError('EIO', 'cat: one\ntwo\x1b[31m\n', { action: 'command' });
  assert.deepEqual(reportFailure(error, 'call').lines, [
    'guestfs: call: command: cat: one',
    '  two\\x1b[31m',
  ]);
});
