/** Several paths, patterns, and the orders and tests of listings. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commonOptions, readCommandLine } from '../../src/cli/command/options.js';
import { find } from '../../src/cli/commands/find.js';
import { type Filter, readFilter, readMoment } from '../../src/cli/guest/find-filter.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { fails, guestfs, sample, scratch } from './command.js';

const lines = (text: string): string[] => text.split('\n').slice(0, -1);

describe('several paths', { concurrency: 4 }, () => {
  test('the rest is done past a path that is missing, and the worst status is the end', async () => {
    const [cat, stat, find, ls] = await Promise.all([
      guestfs('cat', `${sample}:/no`, '/etc/hostname', '/etc', '/etc/debian_version'),
      guestfs('stat', '--json', `${sample}:/no`, '/etc/hostname'),
      guestfs('find', `${sample}:/no`, '/etc/apt/auth.conf.d'),
      guestfs('ls', `${sample}:/no`, '/etc/apt/auth.conf.d', '/etc/hostname'),
    ]);
    assert.match(cat.out, /^dolphin\n12\.\d+\n$/);
    assert.match(
      cat.err,
      /^guestfs: cat: \/no: no such.*\nhint: .*\nguestfs: cat: \/etc: is a directory\nhint: .*\n$/,
    );
    assert.equal((JSON.parse(stat.out) as unknown[]).length, 1);
    assert.equal(find.out, '/etc/apt/auth.conf.d\n');
    assert.equal(ls.out, '/etc/hostname\n\n/etc/apt/auth.conf.d:\n');
    for (const { status, err } of [cat, stat, find, ls]) {
      assert.equal(status, 4);
      assert.match(err, /: \/no: no such file or directory\n/);
    }
  });

  test('cp copies what is there, and ends with the status of what is not', async () => {
    const directory = join(scratch, 'some');
    await mkdir(directory);
    const { status, err } = await guestfs('cp', `${sample}:/etc/hostname`, '/no', '/etc/hosts', directory);
    assert.equal(status, 4, err);
    assert.deepEqual(readdirSync(directory).sort(), ['hostname', 'hosts']);
  });

  test('what ends the command ends it at the first path', async () => {
    const { status, err } = await guestfs('cat', '-m', '/dev/sda9', `${sample}:/a`, '/b');
    assert.equal(status, 4);
    assert.equal(err.match(/^guestfs: /gm)?.length, 1);
  });
});

describe('patterns in paths', { concurrency: 4 }, () => {
  test('stand for what matches in the guest', async () => {
    const directory = join(scratch, 'matched');
    await mkdir(directory);
    const [ls, cat, stat, find, cp] = await Promise.all([
      guestfs('ls', '-d', `${sample}:/{etc,usr}/host*`),
      guestfs('cat', `${sample}:/etc/hostnam?`),
      guestfs('stat', '--json', `${sample}:/etc/host[ns]*`),
      guestfs('find', `${sample}:/etc/apt/*.d`, '--maxdepth', '0'),
      guestfs('cp', `${sample}:/etc/hosts*`, directory),
    ]);
    assert.deepEqual(lines(ls.out), [
      '/etc/host.conf',
      '/etc/hostname',
      '/etc/hosts',
      '/etc/hosts.allow',
      '/etc/hosts.deny',
    ]);
    assert.equal(cat.out, 'dolphin\n');
    assert.equal((JSON.parse(stat.out) as unknown[]).length, 4);
    assert.ok(lines(find.out).includes('/etc/apt/auth.conf.d'));
    assert.equal(cp.status, 0, cp.err);
    assert.deepEqual(readdirSync(directory).sort(), ['hosts', 'hosts.allow', 'hosts.deny']);
  });

  test('a pattern that nothing matches is 4, and several matches need a directory', async () => {
    await Promise.all([
      fails(4, ['ls', `${sample}:/etc/z*z`], /\/etc\/z\*z: no such file or directory$/, /guestfs ls/),
      fails(
        1,
        ['cp', `${sample}:/etc/host*`, join(scratch, 'single')],
        /is no directory on this machine/,
        /mkdir/,
      ),
    ]);
  });

  test('a file that has the very name is that file', needs('mke2fs'), async () => {
    const tree = join(scratch, 'brackets');
    const image = join(scratch, 'brackets.img');
    await mkdir(tree);
    for (const name of ['a[b]c', 'abc']) await writeFile(join(tree, name), name);
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', tree, image, '1M'], { env: toolEnvironment });
    const [own, other] = await Promise.all([
      guestfs('cat', '-q', `${image}:/a[b]c`),
      guestfs('cat', '-q', `${image}:/a[a-b]c`),
    ]);
    assert.equal(own.out, 'a[b]c');
    assert.equal(other.out, 'abc');
  });
});

describe('orders of ls', { concurrency: 4 }, () => {
  test('by time, by size, and backwards', async () => {
    type Record = { path: string; size: number; mtime: number };
    const read = async (...options: string[]): Promise<Record[]> =>
      JSON.parse((await guestfs('ls', '--json', ...options, `${sample}:/etc`)).out) as Record[];
    const [byName, byTime, bySize, backwards] = await Promise.all([
      read(),
      read('-t'),
      read('-S'),
      read('-tr'),
    ]);
    assert.equal(byTime.length, byName.length);
    for (const [index, record] of byTime.entries())
      assert.ok(index === 0 || record.mtime <= (byTime[index - 1]?.mtime ?? 0));
    for (const [index, record] of bySize.entries())
      assert.ok(index === 0 || record.size <= (bySize[index - 1]?.size ?? 0));
    assert.deepEqual(backwards, byTime.toReversed());
    assert.notDeepEqual(byTime, byName);
  });

  test('-R lists each directory below under its name, as many files as find has', async () => {
    const [shown, json, all] = await Promise.all([
      guestfs('ls', '-R', `${sample}:/etc/apt`),
      guestfs('ls', '-R', '--json', `${sample}:/etc`),
      guestfs('find', `${sample}:/etc`),
    ]);
    const [first = '', second = ''] = shown.out.split('\n\n');
    assert.match(first, /^\/etc\/apt:\napt\.conf\.d\n/);
    assert.match(second, /^\/etc\/apt\/apt\.conf\.d:\n/);
    assert.equal((JSON.parse(json.out) as unknown[]).length, lines(all.out).length - 1);
  });
});

/** A filter from words as they are typed. */
async function filterOf(...words: string[]): Promise<Filter> {
  const { options } = await readCommandLine(
    words,
    { ...commonOptions, ...find.options },
    async () => undefined,
  );
  const { filter, moment } = readFilter(options, 1000 * 86400);
  return filter(moment !== undefined && 'seconds' in moment ? moment : undefined);
}

describe('tests of find', () => {
  const of = (size: number, days = 0, mtimeNanoseconds = 0) => ({
    size,
    mtime: (1000 - days) * 86400,
    mtimeNanoseconds,
  });

  test('--size is more, less or exactly', async () => {
    const [more, less, exact, old] = await Promise.all([
      filterOf('--size', '+1M'),
      filterOf('--size', '-10K'),
      filterOf('--size=100c'),
      filterOf('--size', '0'),
    ]);
    assert.deepEqual(
      [2 ** 20, 2 ** 20 + 1].map((size) => more.facts?.(of(size))),
      [false, true],
    );
    assert.deepEqual(
      [10239, 10240].map((size) => less.facts?.(of(size))),
      [true, false],
    );
    assert.deepEqual(
      [99, 100].map((size) => exact.facts?.(of(size))),
      [false, true],
    );
    assert.equal(old.facts?.(of(0)), true);
    await assert.rejects(filterOf('--size', '+1X'), /is no size/);
    await assert.rejects(filterOf('--size', '-x'), /needs a value/);
  });

  test('--mtime counts whole days, as find does', async () => {
    const [within, before, on] = await Promise.all([
      filterOf('--mtime', '-7'),
      filterOf('--mtime', '+7'),
      filterOf('--mtime', '7'),
    ]);
    const days = [6.9, 7, 7.9, 8];
    assert.deepEqual(
      days.map((age) => within.facts?.(of(0, age))),
      [true, false, false, false],
    );
    assert.deepEqual(
      days.map((age) => on.facts?.(of(0, age))),
      [false, true, true, false],
    );
    assert.deepEqual(
      days.map((age) => before.facts?.(of(0, age))),
      [false, false, false, true],
    );
    await assert.rejects(filterOf('--mtime', 'x'), /no number of days/);
  });

  test('--newer takes dates, seconds and files of the guest', async () => {
    assert.deepEqual(readMoment('1970-01-02'), { seconds: 86400, nanoseconds: 0 });
    assert.deepEqual(readMoment('1970-01-02 01:00'), { seconds: 90000, nanoseconds: 0 });
    assert.deepEqual(readMoment('1970-01-02T01:00:01+01:00'), { seconds: 86401, nanoseconds: 0 });
    assert.deepEqual(readMoment('@5'), { seconds: 5, nanoseconds: 0 });
    assert.deepEqual(readMoment('/x'), { path: '/x' });
    for (const word of ['yesterday', '1970-13-01', '5']) assert.throws(() => readMoment(word), /is no time/);
    const newer = await filterOf('--newer', '@86400000');
    assert.deepEqual(
      [of(0), of(0, 0, 1), of(0, -1)].map((facts) => newer.facts?.(facts)),
      [false, true, true],
    );
    const [some, none] = await Promise.all([
      guestfs('find', sample, '--newer', '/etc/hostname', '--type', 'f', '--size', '-1000'),
      guestfs('find', sample, '--newer', '/no'),
    ]);
    assert.ok(lines(some.out).includes('/etc/debian_version') && !lines(some.out).includes('/etc/hostname'));
    assert.equal(none.status, 4);
  });
});
