/** Compressed files and initrds, looked through. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CorruptError, GuestfsError, UnsupportedError } from '../../src/base/index.js';
import { isCpio } from '../../src/formats/index.js';
import { initrdEntries, packingOf, unpack } from '../../src/vfs/index.js';
import { noise, Random } from '../support/random.js';
import { needs } from '../support/tools.js';

const source = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (into: Uint8Array, offset: number) => into.set(bytes.subarray(offset, offset + into.length)),
});

/** 'guestfs\n', by xz 5.4 and by zstd 1.5 from a pipe (without a content size). */
const small = {
  xz: '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAHZ3Vlc3RmcwoA44gt4Cu7cNwAASAIuxnZux+2830BAAAAAARZWg==',
  zstd: 'KLUv/QRYQQAAZ3Vlc3Rmcwo80r5t',
};

describe('a compressed file', () => {
  test('gives its contents: gzip, of one member or several', () => {
    const bytes = Buffer.from(noise(300_000));
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
        Buffer.from(noise(400_000)),
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
    const bytes = Buffer.from(noise(2_000_000));
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
      gzip: gzipSync(Buffer.from(noise(3000))),
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

/** A `.Z` file as compress writes it: codes that grow from 9 bits, in groups of eight. */
function compressed(bytes: Uint8Array, widest: number): Buffer {
  const out: number[] = [0x1f, 0x9d, 0x80 | widest];
  let bits = 0n;
  let count = 0;
  let inGroup = 0;
  let width = 9;
  const put = (code: number): void => {
    bits |= BigInt(code) << BigInt(count);
    count += width;
    inGroup++;
    for (; count >= 8; count -= 8, bits >>= 8n) out.push(Number(bits & 0xffn));
  };
  const table = new Map<string, number>(
    Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(byte), byte]),
  );
  let free = 257;
  let last = '';
  for (const byte of bytes) {
    const longer = last + String.fromCharCode(byte);
    if (table.has(longer)) {
      last = longer;
      continue;
    }
    put(table.get(last) ?? 0);
    if (free < 1 << widest) table.set(longer, free++);
    if (free > 1 << width && width < widest) {
      while (inGroup % 8 !== 0) put(0);
      width++;
      inGroup = 0;
    }
    last = String.fromCharCode(byte);
  }
  if (last !== '') put(table.get(last) ?? 0);
  if (count > 0) out.push(Number(bits & 0xffn));
  return Buffer.from(out);
}

describe('a file of compress', () => {
  const text = Buffer.from(Array.from({ length: 4000 }, (_, line) => `line ${line * line}\n`).join(''));

  test('gives its contents', () => {
    for (const widest of [9, 12, 16]) {
      for (const bytes of [
        text,
        Buffer.from(noise(100_000)),
        Buffer.alloc(50_000),
        Buffer.from('x'),
        Buffer.alloc(0),
      ]) {
        const packed = compressed(bytes, widest);
        assert.equal(packingOf(packed), 'compress');
        assert.deepEqual(Buffer.from(unpack(source(packed), 'x') ?? [1]), bytes, `${widest} bits`);
      }
    }
  });

  test('of any codes gives what gzip gives, or is refused as there', needs('gzip'), () => {
    // Codes of nine bits at most are left out: gzip makes them ten, which compress does not.
    const chance = new Random(7);
    let read = 0;
    for (let round = 0; round < 120; round++) {
      const packed = compressed(text.subarray(0, 200 + chance.below(20_000)), 10 + chance.below(7));
      for (let change = chance.below(3); change > 0; change--)
        packed[3 + chance.below(packed.length - 3)] = chance.below(256);
      const { stdout, stderr, status } = spawnSync('gzip', ['-dc'], { input: packed, maxBuffer: 1 << 26 });
      let ours: Uint8Array | undefined;
      try {
        ours = unpack(source(packed), 'x');
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptError);
      }
      assert.equal(ours !== undefined, status === 0, `round ${round}: ${stderr}`);
      if (ours === undefined) continue;
      read++;
      assert.ok(Buffer.from(ours).equals(stdout), `round ${round}`);
    }
    assert.ok(read > 40 && read < 120, `${read} were read`);
  });

  test('stops where there is enough, or where it grows too large', () => {
    const bomb = compressed(Buffer.alloc(1_000_000), 16);
    assert.ok((unpack(source(bomb), 'x', { enough: 1000 })?.length ?? 0) < 10_000);
    assert.throws(() => unpack(source(bomb), 'x', { limit: 100_000 }), UnsupportedError);
  });
});

test('what stands behind gzip data is ignored, however many members there are', () => {
  const member = gzipSync('inside\n');
  const named = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x1c, 0, 0, 0, 0, 0, 3, 2, 0, 1, 2]),
    Buffer.from('n\0c\0'),
    member.subarray(10),
  ]);
  for (const [bytes, text, garbage] of [
    [[member], 'inside\n', 'garbage'],
    [[member, named], 'inside\ninside\n', '\x1f'],
    [[named, named, member], 'inside\ninside\ninside\n', '\x1f\x8c\x08'],
  ] as const) {
    const packed = Buffer.concat([...bytes, Buffer.from(garbage, 'latin1')]);
    assert.equal(Buffer.from(unpack(source(packed), 'x') ?? []).toString(), text);
  }
  assert.equal(
    Buffer.from(unpack(source(Buffer.concat([member, Buffer.alloc(99)])), 'x') ?? []).toString(),
    'inside\n',
  );
  // Damage in a member is damage, with garbage behind it as well.
  const damaged = Buffer.concat([member, member.subarray(0, -4), Buffer.from('garbage')]);
  assert.throws(() => unpack(source(damaged), 'x'), CorruptError);
});
