/** Compressed files and initrds, looked through. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CorruptError, GuestfsError, UnsupportedError } from '../../src/base/index.js';
import { initrdEntries, isCpio, packingOf, unpack } from '../../src/vfs/index.js';
import { needs } from '../support/tools.js';

const source = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (into: Uint8Array, offset: number) => into.set(bytes.subarray(offset, offset + into.length)),
});

/** Bytes that no compression makes much smaller. */
function noise(length: number): Buffer {
  let state = 1;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    }),
  );
}

/** 'guestfs\n', by xz 5.4 and by zstd 1.5 from a pipe (without a content size). */
const small = {
  xz: '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAHZ3Vlc3RmcwoA44gt4Cu7cNwAASAIuxnZux+2830BAAAAAARZWg==',
  zstd: 'KLUv/QRYQQAAZ3Vlc3Rmcwo80r5t',
};

describe('a compressed file', () => {
  test('gives its contents: gzip, of one member or several', () => {
    const bytes = noise(300_000);
    assert.deepEqual(unpack(source(gzipSync(bytes)), 'x'), bytes);
    const two = Buffer.concat([gzipSync(bytes), gzipSync(Buffer.from('more'))]);
    assert.deepEqual(unpack(source(two), 'x'), Buffer.concat([bytes, Buffer.from('more')]));
    assert.deepEqual(unpack(source(gzipSync(new Uint8Array())), 'x'), Buffer.alloc(0));
  });

  for (const [tool, args] of [
    ['xz', ['-c']],
    ['xz', ['-c', '--check=crc32', '--block-size=100000']],
    ['zstd', ['-qc']],
    ['zstd', ['-qc', '--no-check', '-19']],
  ] as const) {
    test(`gives its contents: ${tool} ${args.join(' ')}`, needs(tool), () => {
      for (const bytes of [
        Buffer.from('guestfs\n'),
        noise(400_000),
        Buffer.alloc(3_000_000),
        Buffer.alloc(0),
      ]) {
        const packed = execFileSync(tool, args, { input: bytes });
        assert.equal(packingOf(packed), tool);
        assert.ok(Buffer.from(unpack(source(packed), 'x') ?? [1]).equals(bytes));
        const twice = Buffer.concat([packed, packed]);
        assert.ok(Buffer.from(unpack(source(twice), 'x') ?? [1]).equals(Buffer.concat([bytes, bytes])));
      }
    });
  }

  test('is looked through without any tool', () => {
    for (const packed of Object.values(small))
      assert.equal(
        Buffer.from(unpack(source(Buffer.from(packed, 'base64')), 'x') ?? []).toString(),
        'guestfs\n',
      );
  });

  test('is not taken past the limit', needs('xz', 'zstd'), () => {
    const bytes = Buffer.alloc(5_000_000);
    const packed = [
      gzipSync(bytes),
      execFileSync('xz', ['-c'], { input: bytes }),
      execFileSync('zstd', ['-qc'], { input: bytes }),
    ];
    for (const each of packed)
      assert.throws(
        () => unpack(source(each), 'x', { limit: 1_000_000 }),
        (thrown) => thrown instanceof GuestfsError,
      );
  });

  test('may be looked at only in its beginning, even where its end is missing', () => {
    const bytes = noise(2_000_000);
    const packed = gzipSync(bytes);
    const start = unpack(source(packed), 'x', { enough: 5000 }) ?? new Uint8Array();
    assert.ok(start.length >= 5000 && start.length < bytes.length);
    assert.deepEqual(Buffer.from(start), bytes.subarray(0, start.length));
    const cut = unpack(source(packed.subarray(0, 20_000)), 'x', { enough: 5000 }) ?? new Uint8Array();
    assert.ok(cut.length >= 5000);
    assert.throws(() => unpack(source(packed.subarray(0, 20_000)), 'x'), CorruptError);
  });

  test('that is damaged is a CorruptError, wherever', () => {
    const packed = {
      gzip: gzipSync(noise(3000)),
      ...Object.fromEntries(Object.entries(small).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
    };
    for (const [name, whole] of Object.entries(packed)) {
      const mark = name === 'xz' ? 6 : name === 'zstd' ? 4 : 3;
      for (let length = mark; length < whole.length; length += Math.max(1, whole.length >> 6))
        assert.throws(
          () => unpack(source(whole.subarray(0, length)), 'x'),
          (thrown) => thrown instanceof CorruptError || thrown instanceof UnsupportedError,
          `${name} cut at ${length}`,
        );
      for (let at = mark; at < whole.length; at++) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ 0xff;
        try {
          unpack(source(damaged), 'x');
        } catch (thrown) {
          assert.ok(thrown instanceof GuestfsError, `${name} at ${at}: ${thrown}`);
        }
      }
    }
  });

  test('of another kind is named', () => {
    for (const [name, magic] of [
      ['bzip2', 'BZh9'],
      ['lz4', '\x04\x22\x4d\x18'],
      ['lzo', '\x89LZO'],
    ] as const)
      assert.throws(
        () => unpack(source(Buffer.from(`${magic}........`, 'latin1')), 'x'),
        (thrown) => thrown instanceof UnsupportedError && thrown.message.includes(name),
      );
    assert.equal(unpack(source(Buffer.from('plain')), 'x'), undefined);
    assert.equal(unpack(source(Buffer.alloc(0)), 'x'), undefined);
  });
});

describe('an initrd', () => {
  const archive = (names: readonly string[]): Buffer =>
    execFileSync('cpio', ['-o', '-H', 'newc', '--quiet', '-R', '0:0'], {
      input: `${names.join('\n')}\n`,
      cwd: 'test/support',
    });

  test(
    'has the entries that cpio put in, through each compression, after microcode',
    needs('cpio', 'xz', 'zstd'),
    () => {
      const names = ['.', 'tools.ts', 'memory-fs.ts'];
      const plain = archive(names);
      assert.ok(isCpio(plain));
      const early = Buffer.concat([archive(['facts.ts']), Buffer.alloc(1024)]);
      const packed = [
        plain,
        gzipSync(plain),
        execFileSync('xz', ['-c', '--check=crc32'], { input: plain }),
        execFileSync('zstd', ['-qc'], { input: plain }),
      ];
      for (const bytes of packed) {
        assert.deepEqual(
          [...initrdEntries(source(bytes), 'x')].map(({ name }) => name),
          names,
        );
        const both = [...initrdEntries(source(Buffer.concat([early, bytes])), 'x')];
        assert.deepEqual(
          both.map(({ name }) => name),
          ['facts.ts', ...names],
        );
        assert.match(Buffer.from(both[2]?.contents() ?? []).toString(), /export function needs/);
        assert.equal(both[2]?.contents(5).length, 5);
      }
    },
  );

  test('that is none, or breaks off, is a CorruptError', needs('cpio'), () => {
    const read = (bytes: Uint8Array) =>
      [...initrdEntries(source(bytes), 'x')].map((entry) => entry.contents());
    assert.throws(() => read(Buffer.from('hello, world\n')), CorruptError);
    assert.deepEqual(read(Buffer.alloc(0)), []);
    const whole = archive(['tools.ts']);
    for (let length = 6; length < whole.length - 600; length += 97)
      assert.throws(() => read(whole.subarray(0, length)), CorruptError, `cut at ${length}`);
    for (let at = 6; at < 110; at += 8) {
      for (const digits of ['ffffffff', '00000000', 'zzzzzzzz', '7fffffff']) {
        const bytes = Buffer.from(whole);
        bytes.write(digits, at, 'latin1');
        try {
          read(bytes);
        } catch (thrown) {
          assert.ok(thrown instanceof CorruptError, String(thrown));
        }
      }
    }
  });
});
