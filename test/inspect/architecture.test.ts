import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fileArchitecture } from '../../src/inspect/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { directory, link, MemoryFileSystem } from '../support/memory-fs.js';
import { elf, pe } from './distributions.js';

function architecture(content: Uint8Array | string): string {
  const table = new MountTable();
  table.mount(new MemoryFileSystem({ file: content }), { source: 'x', mountpoint: '/' });
  return fileArchitecture(table.tree, '/file');
}

const programs: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['i386', elf(3, 32)],
  ['i386', elf(6, 32)],
  ['x86_64', elf(62)],
  ['x86_64', elf(62, 64, true, 3)],
  ['x86_64', elf(62, 64, true, 1)],
  ['aarch64', elf(183)],
  ['Digital VAX', elf(75, 32)],
  ['Atmel AVR 8-bit', elf(83, 32)],
  ['eBPF', elf(247)],
  ['arm', elf(40, 32)],
  ['ppc', elf(20, 32, false)],
  ['ppc64', elf(21, 64, false)],
  ['ppc64le', elf(21, 64, true)],
  ['s390', elf(22, 32, false)],
  ['s390x', elf(22, 64, false)],
  ['sparc', elf(2, 32, false)],
  ['sparc', elf(18, 32, false)],
  ['sparc64', elf(43, 64, false)],
  ['ia64', elf(50)],
  ['alpha', elf(0x9026)],
  ['mips', elf(8, 32, false)],
  ['mipsel', elf(8, 32, true)],
  ['mips64el', elf(8, 64, true)],
  ['riscv32', elf(243, 32)],
  ['riscv64', elf(243)],
  ['loongarch64', elf(258)],
  ['i386', pe(0x14c, 0x10b)],
  ['x86_64', pe(0x8664, 0x20b)],
  ['aarch64', pe(0xaa64, 0x20b)],
];

for (const [index, [name, bytes]] of programs.entries()) {
  test(`a program for ${name} is known by its header (${index + 1})`, () => {
    assert.equal(architecture(bytes), name);
    assert.equal(architecture(gzipSync(bytes)), name);
  });
}

test('what is no program, or cut off, is unknown', () => {
  const whole = elf(62);
  for (const bytes of [
    new Uint8Array(),
    Uint8Array.of(0x7f),
    whole.subarray(0, 19),
    elf(62, 64, true, 4),
    elf(9999),
    pe(0x14c, 0x10b).subarray(0, 0x90),
    pe(0x14c, 0x999),
    Buffer.from('#!/bin/sh\n'),
    Buffer.from('MZ'),
  ]) {
    assert.throws(() => architecture(bytes), { code: 'EINVAL' });
  }
});

test('damaged compression is damage', () => {
  const starts = [
    [0x1f, 0x8b, 8, 0xff, 0xff, 0],
    [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
    [0x28, 0xb5, 0x2f, 0xfd],
  ];
  for (const start of starts)
    assert.throws(() => architecture(Uint8Array.from([...start, 0, 0, 0, 0])), { code: 'EIO' });
});

test('the offset of a PE header is not trusted', () => {
  for (const offset of [0xffffffff, 0x7fffffff, 4095, 511, 487]) {
    const bytes = pe(0x14c, 0x10b);
    new DataView(bytes.buffer).setUint32(0x3c, offset, true);
    assert.throws(() => architecture(bytes), { code: 'EINVAL' });
  }
});

test('compression that is not looked through is named', () => {
  const magics: Readonly<Record<string, number[]>> = {
    bzip2: [0x42, 0x5a, 0x68, 0x39],
    lzma: [0x5d, 0, 0, 0x80],
    lz4: [0x04, 0x22, 0x4d, 0x18],
    lzo: [0x89, 0x4c, 0x5a, 0x4f],
  };
  for (const [name, magic] of Object.entries(magics)) {
    assert.throws(
      () => architecture(Uint8Array.from([...magic, 0, 0, 0, 0])),
      (thrown: unknown) => {
        assert.equal((thrown as { code: string }).code, 'ENOTSUP');
        assert.match((thrown as Error).message, new RegExp(name));
        return true;
      },
    );
  }
});

test('only files have an architecture', () => {
  const table = new MountTable();
  table.mount(new MemoryFileSystem({ dir: directory(), to: link('real'), real: elf(62) }), {
    source: 'x',
    mountpoint: '/',
  });
  assert.throws(() => fileArchitecture(table.tree, '/dir'), { code: 'EISDIR' });
  assert.throws(() => fileArchitecture(table.tree, '/missing'), { code: 'ENOENT' });
  assert.equal(fileArchitecture(table.tree, '/to'), 'x86_64');
});

/** One entry of a newc archive. */
function entry(name: string, data: Uint8Array, mode = 0o100755): Buffer {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  const fields = [1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0].map(hex).join('');
  const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([pad(Buffer.from(`070701${fields}${name}\0`, 'latin1')), pad(Buffer.from(data))]);
}

const trailer = entry('TRAILER!!!', new Uint8Array(), 0);
const initrd = Buffer.concat([
  entry('.', new Uint8Array(), 0o040755),
  entry('etc/motd', Buffer.from('hello')),
  entry('bin/sh', Buffer.from('busybox'), 0o120777),
  entry('./usr/bin/ls', elf(183)),
  trailer,
]);

test('an initrd is for what its programs are for', () => {
  assert.equal(architecture(initrd), 'aarch64');
  assert.equal(architecture(gzipSync(initrd)), 'aarch64');
});

test('programs are looked for behind the microcode', () => {
  const microcode = Buffer.concat([entry('kernel/x86/microcode/x.bin', Buffer.alloc(5000, 1)), trailer]);
  const padding = Buffer.alloc(1024 - (microcode.length % 512));
  assert.equal(architecture(Buffer.concat([microcode, padding, initrd])), 'aarch64');
  assert.equal(architecture(Buffer.concat([microcode, padding, gzipSync(initrd)])), 'aarch64');
  const lz4 = Buffer.from([0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0]);
  assert.throws(() => architecture(Buffer.concat([microcode, padding, lz4])), { code: 'ENOTSUP' });
});

test('a large initrd is expanded until the program is met', () => {
  const filler = entry('filler', Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 3)));
  assert.equal(architecture(gzipSync(Buffer.concat([filler, initrd]))), 'aarch64');
});

test('broken initrds are broken, or of no architecture', () => {
  const wrong = (bytes: Uint8Array, codes: string[]) =>
    assert.throws(
      () => architecture(bytes),
      (thrown: unknown) => {
        assert.ok(codes.includes((thrown as { code: string }).code), String(thrown));
        return true;
      },
    );
  wrong(trailer, ['EINVAL']);
  wrong(Buffer.concat([entry('bin/ls', Buffer.from('#!/bin/sh\n')), trailer]), ['EINVAL']);
  for (let length = 6; length < initrd.length - trailer.length - 64; length += 37) {
    wrong(initrd.subarray(0, length), ['EINVAL', 'EIO']);
  }
  for (let at = 6; at < 110; at += 8) {
    for (const digits of ['ffffffff', '00000000', 'zzzzzzzz', '7fffffff']) {
      const bytes = Buffer.from(initrd);
      bytes.write(digits, at, 'latin1');
      try {
        assert.match(architecture(bytes), /^aarch64$/);
      } catch (thrown) {
        assert.ok(['EINVAL', 'EIO'].includes((thrown as { code: string }).code), String(thrown));
      }
    }
  }
});
