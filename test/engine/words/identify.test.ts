/** `file`: against the program file(1), and against bytes that are nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { identify } from '../../../src/engine/words/identify/index.js';
import { fixturePath, readFixtureBuffer } from '../../support/fixtures.js';
import { noise, Random } from '../../support/random.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { scratchPath, withExt4 } from '../support.js';

const source = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (into: Uint8Array, offset: number) => into.set(bytes.subarray(offset, offset + into.length)),
});
const words = (bytes: Uint8Array | string): string => identify(source(Buffer.from(bytes)));

/** What the program says of these bytes. */
function theirs(bytes: Uint8Array): string {
  const path = scratchPath();
  writeFileSync(path, bytes);
  return execFileSync('file', ['-zb', path], {
    env: { ...toolEnvironment, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    encoding: 'utf8',
  }).trimEnd();
}

describe('what a file is', () => {
  test('is what the program says, for files of every kind in the fixture', needs('file'), () =>
    withExt4(async (g) => {
      const paths = (await g.find('/')).filter(
        (path) => !/^(?:huge|sparse)$|\.(?:zst|bz2)$|damaged/.test(path),
      );
      let compared = 0;
      for (const path of paths) {
        if (!(await g.isFile(`/${path}`)) || /[\udc80-\udcff]/.test(path) || path.startsWith('modes/'))
          continue;
        const bytes = Buffer.from(await g.readFile(`/${path}`));
        assert.equal(await g.file(`/${path}`), theirs(bytes), path);
        compared++;
      }
      assert.ok(compared > 60, `${compared} files`);
    }),
  );

  test('is what the program says, for images of disks and filesystems', needs('file'), () => {
    for (const name of ['ext4.img', 'gpt.img', 'mbr.img', 'disc.iso', 'lvm1.img']) {
      const bytes = readFixtureBuffer(`scenarios/${name}.gz`);
      assert.equal(words(bytes), theirs(bytes), name);
    }
  });

  test('is what the program says, for texts', needs('file'), () => {
    const texts = [
      'a',
      'a\n',
      'a\r\nb\r\n',
      'a\rb\r',
      'a\r\nb\n',
      `${'x'.repeat(299)}\n`,
      `${'x'.repeat(300)}\n`,
      `${'x'.repeat(301)}\n`,
      'caf\xe9\n',
      'bell\x07\n',
      'esc\x1b[1m\n',
      'back\bspace\n',
      'nul\0\n',
      'ctrl\x01\n',
      '#!/bin/sh\n',
      '#!/bin/bash\n',
      '#! /usr/bin/env python3\n',
      '#!/usr/bin/perl -w\n',
      '#!/usr/bin/env node\n',
      '#!/opt/odd/thing --x\n',
      '#!/usr/bin/awk -f\n',
      '{"a":1}',
      '[1,2]\n',
      '{not json}\n',
      '<?xml version="1.0"?><a/>\n',
      '<!DOCTYPE html>\n<html></html>\n',
      '<html>\n',
      '.TH X 1\n',
      '-----BEGIN CERTIFICATE-----\nAAAA\n',
      '\xef\xbb\xbfmarked\n',
      '\xff\xfea\0\n\0',
      '\xfe\xff\0a\0\n',
      '\xe2\x82\xac\n',
      '\xe2\x82',
      '\x80\x81\n',
    ];
    const differences: string[][] = [];
    for (const text of texts) {
      const bytes = Buffer.from(text, 'latin1');
      if (words(bytes) !== theirs(bytes)) differences.push([text, words(bytes), theirs(bytes)]);
    }
    assert.deepEqual(differences, []);
  });

  test('is looked for inside gzip', () => {
    assert.match(words(gzipSync('text\n')), /^ASCII text \(gzip compressed data, from Unix\)$/);
    assert.match(words(gzipSync('')), /^empty \(gzip compressed data/);
  });
});

describe('bytes that are damaged', () => {
  test('cut off anywhere, or with any byte turned over, are still something', () =>
    withExt4(async (g) => {
      const names = [
        '/bin/program',
        '/bin/object.o',
        '/arch/some.png',
        '/arch/some.tar',
        '/arch/program.gz',
        '/arch/program.xz',
        '/arch/initrd.gz',
      ];
      for (const name of names) {
        const whole = Buffer.from(await g.readFile(name));
        const step = Math.max(1, whole.length >> 8);
        for (let length = 0; length < whole.length; length += step)
          assert.notEqual(words(whole.subarray(0, length)), '');
        for (let at = 0; at < Math.min(whole.length, 700); at++) {
          const damaged = Buffer.from(whole);
          for (const value of [0, 0xff, 0x7f]) {
            damaged[at] = value;
            assert.notEqual(words(damaged), '', `${name} at ${at}`);
          }
        }
      }
    }));

  test('from a table of contents of nothing are data', () => {
    const random = noise(4096);
    assert.equal(words(random), 'data');
    assert.equal(words(new Uint8Array(5000)), 'data');
    assert.equal(words(''), 'empty');
    for (const file of readdirSync(fixturePath('scenarios')))
      assert.notEqual(words(readFileSync(fixturePath('scenarios', file))), '');
  });
});

/** Numbers of so many bytes each, one after the other. */
function numbers(
  little: boolean,
  ...fields: readonly (readonly [length: 1 | 2 | 4, value: number])[]
): Buffer {
  return Buffer.concat(
    fields.map(([length, value]) => {
      const bytes = Buffer.alloc(length);
      if (little) bytes.writeUIntLE(value, 0, length);
      else bytes.writeUIntBE(value, 0, length);
      return bytes;
    }),
  );
}

/** Headers of pictures, sounds, fonts and captures, of random fields. */
const media: Readonly<Record<string, (chance: Random) => Buffer>> = {
  wav(chance) {
    const header = numbers(
      true,
      [2, chance.pick([1, 2, 3, 6, 7, 17, 85])],
      [2, 1 + chance.below(8)],
      [4, chance.pick([8000, 44100, 48000])],
      [4, 9],
      [2, 4],
      [2, chance.pick([8, 16, 24])],
    );
    const before = chance.pick([Buffer.alloc(0), Buffer.from('bext\x04\0\0\0abcd', 'latin1')]);
    return Buffer.concat([
      Buffer.from('RIFF\0\x01\0\0WAVE', 'latin1'),
      before,
      Buffer.from('fmt \x10\0\0\0', 'latin1'),
      header,
      Buffer.from('data'),
      Buffer.alloc(40),
    ]);
  },
  aiff: (chance) =>
    Buffer.concat([
      Buffer.from('FORM\0\0\0\x2e', 'latin1'),
      Buffer.from(chance.pick(['AIFF', 'AIFC', '8SVX'])),
      Buffer.from('COMM'),
      Buffer.alloc(40),
    ]),
  au: (chance) =>
    Buffer.concat([
      Buffer.from('.snd'),
      numbers(false, [4, 24], [4, 100], [4, 1 + chance.below(7)], [4, 8000], [4, 1 + chance.below(2)]),
      Buffer.alloc(100),
    ]),
  midi: (chance) =>
    Buffer.concat([
      Buffer.from('MThd\0\0\0\x06', 'latin1'),
      numbers(false, [2, chance.below(3)], [2, 1 + chance.below(20)], [2, 96]),
      Buffer.from('MTrk'),
    ]),
  tiff(chance) {
    const little = chance.below(2) === 0;
    const tags = [256, 257, 258, 259, 262, 274].filter(() => chance.below(4) > 0);
    const entries = tags.map((tag) =>
      numbers(
        little,
        [2, tag],
        [2, 3],
        [4, 1],
        [2, tag === 259 ? 1 + chance.below(8) : 1 + chance.below(9)],
        [2, 0],
      ),
    );
    return Buffer.concat([
      Buffer.from(little ? 'II*\0' : 'MM\0*'),
      numbers(little, [4, 8], [2, tags.length]),
      ...entries,
      Buffer.alloc(4),
    ]);
  },
  netpbm: (chance) =>
    Buffer.from(
      `P${1 + chance.below(6)}\n${chance.pick(['', '# made by hand\n'])}${chance.below(2000)} ${chance.below(2000)}\n255\n0 1 2 3 4 5 6 7\n`,
    ),
  pcap(chance) {
    const little = chance.below(2) === 0;
    return Buffer.concat([
      numbers(
        little,
        [4, chance.pick([0xa1b2c3d4, 0xa1b23c4d])],
        [2, 2],
        [2, 4],
        [4, 0],
        [4, 0],
        [4, chance.pick([65535, 262144])],
        [4, chance.pick([0, 1, 101, 105, 113])],
      ),
      Buffer.alloc(40),
    ]);
  },
  font(chance) {
    const tables = ['DSIG', 'OS/2', 'cmap', 'glyf'].slice(chance.below(3));
    return Buffer.concat([
      Buffer.from(chance.pick(['\0\x01\0\0', 'true', 'OTTO']), 'latin1'),
      numbers(false, [2, tables.length], [2, 64], [2, 2], [2, 0]),
      ...tables.flatMap((name) => [Buffer.from(name), Buffer.alloc(12)]),
      Buffer.alloc(64),
    ]);
  },
  text: (chance) =>
    Buffer.from(
      Array.from({ length: 20 }, () =>
        chance.pick(['word ', 'line\n', '\t', '\v', '\f', '\u00e9', '\u20ac', '1', '\r\n', '\b', '\x1b[m']),
      ).join(''),
    ),
};

for (const [kind, make] of Object.entries(media)) {
  test(`random headers are what the program says: ${kind}`, needs('file'), () => {
    const chance = new Random(11);
    const paths = Array.from({ length: 40 }, () => {
      const path = scratchPath();
      writeFileSync(path, make(chance));
      return path;
    });
    const theirs = execFileSync('file', ['-zb', '--', ...paths], {
      env: { ...toolEnvironment, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      encoding: 'utf8',
    })
      .trimEnd()
      .split('\n');
    assert.deepEqual(
      paths.map((path) => words(readFileSync(path))),
      theirs,
    );
  });
}
