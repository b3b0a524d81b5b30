/** Zip files of a tree, as foreign tools read them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { decodeText } from '../../../src/base/index.js';
import { writeZip } from '../../../src/engine/host/archive/zip.js';
import type { DataSink } from '../../../src/engine/host/copy-data.js';
import { type ZipSteps, ZipWriter } from '../../../src/formats/index.js';
import { directory, link, MemoryFileSystem, type MemoryFiles, special } from '../../support/memory-fs.js';
import { noise as noiseOf } from '../../support/random.js';
import { needs } from '../../support/tools.js';
import { callOn, scratchPath } from '../support.js';

function gathering(): { readonly sink: DataSink; readonly bytes: () => Buffer } {
  const pieces: Buffer[] = [];
  const sink: DataSink = {
    keepsHoles: false,
    write: (piece) => void pieces.push(Buffer.from(piece)),
    hole: (length) => void pieces.push(Buffer.alloc(length)),
  };
  return { sink, bytes: () => Buffer.concat(pieces) };
}

interface Zipped {
  readonly path: string;
  readonly warnings: readonly string[];
}

function zipped(files: MemoryFiles, options: { level?: number; excludes?: string[] } = {}): Zipped {
  const warnings: string[] = [];
  const call = callOn(new MemoryFileSystem(files), { warn: (message) => warnings.push(message) });
  const { sink, bytes } = gathering();
  const { level = 6, excludes = [] } = options;
  writeZip(call, '/', call.session.tree.root, sink, { level, excludes });
  const path = scratchPath('all.zip');
  writeFileSync(path, bytes());
  return { path, warnings };
}

/** Does what a writer wants, and gives all that it wrote. */
function finished(steps: (writer: ZipWriter) => Iterable<ZipSteps>): Buffer {
  const written: Buffer[] = [];
  for (const each of steps(new ZipWriter())) {
    let answer: Uint8Array | undefined;
    for (let step = each.next(); step.done !== true; step = each.next(answer)) {
      if ('write' in step.value) written.push(Buffer.from(step.value.write));
      else {
        const { deflate, last, dictionary } = step.value;
        const flush = last ? {} : { finishFlush: constants.Z_SYNC_FLUSH };
        answer = deflateRawSync(deflate, { ...flush, ...(dictionary.length > 0 ? { dictionary } : {}) });
      }
    }
  }
  return Buffer.concat(written);
}

const text = Array.from({ length: 200_000 }, (_, i) => `line ${i * i} of a text\n`).join('');
const noise = noiseOf(2_500_000, 7);
const tree: MemoryFiles = {
  'etc/hostname': 'guest\n',
  'etc/empty': '',
  'var/text': text,
  'var/noise': noise,
  'var/border': text.slice(0, 1024 * 1024),
  'var/behind': text.slice(0, 1024 * 1024 + 1),
  'häßlich/名前': 'unicode',
  'left alone': directory(0o700),
  'to hostname': link('etc/hostname'),
  'a\nb': 'newline',
  'system\\x2dunit': 'a name with a backslash',
};

const tools: Readonly<Record<string, (path: string, into: string) => void>> = {
  unzip: (path, into) => execFileSync('unzip', ['-q', '-^', path, '-d', into], { stdio: 'pipe' }),
  bsdtar: (path, into) =>
    execFileSync('bsdtar', ['-xpf', path, '-C', into], { env: { ...process.env, LC_ALL: 'C.UTF-8' } }),
  'bsdtar, as a stream': (path, into) =>
    execFileSync('bsdtar', ['-xpf', '-', '-C', into], {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      input: readFileSync(path),
    }),
  python3: (path, into) =>
    execFileSync('python3', [
      '-c',
      'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])',
      path,
      into,
    ]),
};

describe('a zip file', () => {
  for (const [name, unpack] of Object.entries(tools)) {
    test(
      `is unpacked by ${name}: names, contents, modes, times, links`,
      needs(name.split(',')[0] ?? ''),
      () => {
        const { path, warnings } = zipped(tree);
        assert.deepEqual(warnings, []);
        // Modes and links stand in the central directory alone, which a stream has at its end.
        const keepsModes = name === 'unzip' || name === 'bsdtar';
        const into = scratchPath('unpacked');
        mkdirSync(into);
        unpack(path, into);
        for (const [file, contents] of Object.entries(tree)) {
          // To bsdtar, a backslash may end the name of a directory.
          if (name.startsWith('bsdtar') && file.includes('\\')) continue;
          const stats = lstatSync(join(into, file));
          if (typeof contents === 'string' || contents instanceof Uint8Array) {
            assert.ok(readFileSync(join(into, file)).equals(Buffer.from(contents)), file);
            if (keepsModes) assert.equal(stats.mode & 0o777, 0o644, file);
          } else if (contents.type === 'directory') {
            assert.ok(stats.isDirectory());
            if (keepsModes) assert.equal(stats.mode & 0o777, 0o700);
          } else if (keepsModes) assert.equal(readlinkSync(join(into, file)), contents.target);
        }
      },
    );
  }

  test('is good in the eyes of 7z and zipinfo, whatever the level', needs('7z', 'zipinfo'), () => {
    for (const level of [0, 1, 9]) {
      const { path } = zipped(tree, { level });
      assert.match(execFileSync('7z', ['t', path], { encoding: 'latin1' }), /Everything is Ok/);
      const listed = execFileSync('zipinfo', ['-l', path], { encoding: 'latin1' });
      assert.match(listed, /-rw-r--r-- .* etc\/hostname/);
      assert.match(listed, /drwx------ .* left alone\//);
      assert.match(listed, /lrwx\S+ .* to hostname/);
    }
    const { path } = zipped(tree, { excludes: ['var'] });
    assert.doesNotMatch(execFileSync('zipinfo', ['-1', path], { encoding: 'latin1' }), /var/);
  });

  test('has a name that is not UTF-8 as its bytes', needs('unzip'), () => {
    const name = decodeText(Buffer.from('caf\xe9', 'latin1'));
    const { path } = zipped({ [name]: 'latin' });
    assert.ok(
      execFileSync('zipinfo', ['-1', path], { env: { LC_ALL: 'C' } }).includes(
        Buffer.from('caf\xe9', 'latin1'),
      ),
    );
    assert.ok(readFileSync(path).includes(Buffer.from('caf\xe9', 'latin1')));
    assert.equal(readFileSync(path).readUInt16LE(6) & 0x800, 0);
  });

  test(
    'lacks what has no place in it and names that lead out elsewhere, with a warning each',
    needs('zipinfo'),
    () => {
      const { path, warnings } = zipped({
        good: 'good',
        '..\\evil': 'up',
        'C:evil': 'a drive',
        '\\evil': 'the root',
        'dir/x\\..\\..\\evil': 'up',
        pipe: special('fifo'),
        disk: special('block'),
      });
      assert.equal(warnings.length, 6, warnings.join('\n'));
      assert.deepEqual(
        execFileSync('zipinfo', ['-1', path], { encoding: 'utf8' }).trim().split('\n'),
        ['good', 'dir/'].sort().reverse(),
      );
    },
  );

  test('of nothing is an empty one', needs('python3'), () => {
    const { path } = zipped({});
    const count = 'import sys,zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))';
    assert.equal(execFileSync('python3', ['-c', count, path], { encoding: 'utf8' }), '0\n');
  });

  test(
    'of 70,000 entries, and with one announced as 5 GiB, is zip64',
    needs('unzip', '7z', 'bsdtar', 'python3'),
    () => {
      const entry = { mode: 0o100644, uid: 70_000, gid: 0, modifiedSeconds: 1e9, sizeInBytes: 0 };
      const bytes = finished(function* (zip) {
        zip.begin({ ...entry, name: 'long', sizeInBytes: 5 * 2 ** 30 });
        yield zip.data(noise);
        yield zip.end();
        for (let i = 0; i < 70_000; i++) {
          zip.begin({ ...entry, name: `f${i}`, modifiedSeconds: i % 2 ? -5e9 : 5e9 });
          yield zip.end();
        }
        yield zip.finish();
      });
      const path = scratchPath('large.zip');
      writeFileSync(path, bytes);
      assert.match(execFileSync('unzip', ['-tq', path], { encoding: 'utf8' }), /No errors/);
      assert.match(
        execFileSync('7z', ['t', path], { encoding: 'latin1' }),
        /Everything is Ok\s+Files: 70001/,
      );
      const count =
        'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), len(z.read("long")))';
      assert.equal(execFileSync('python3', ['-c', count, path], { encoding: 'utf8' }), '70001 2500000\n');
      const streamed = execFileSync('bsdtar', ['-tf', '-'], {
        input: bytes,
        encoding: 'utf8',
        maxBuffer: 2 ** 24,
      });
      assert.equal(streamed.trim().split('\n').length, 70_001);
    },
  );
});
