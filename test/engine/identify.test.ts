/** `file`: against the program file(1), and against bytes that are nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { identify } from '../../src/engine/identify/index.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { scratchPath, withExt4 } from './support.js';

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
      const bytes = gunzipSync(readFileSync(`test/fixtures/scenarios/${name}.gz`));
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
    let state = 1;
    const random = Uint8Array.from({ length: 4096 }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    });
    assert.equal(words(random), 'data');
    assert.equal(words(new Uint8Array(5000)), 'data');
    assert.equal(words(''), 'empty');
    for (const file of readdirSync('test/fixtures/scenarios'))
      assert.notEqual(words(readFileSync(`test/fixtures/scenarios/${file}`)), '');
  });
});
