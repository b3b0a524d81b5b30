/** Access control lists and capabilities as text, from any bytes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CorruptError } from '../../../src/base/index.js';
import { formatAcl } from '../../../src/engine/words/acl.js';
import { formatCapabilities } from '../../../src/engine/words/capabilities.js';
import { PosixCrc } from '../../../src/engine/words/cksum.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { scratchPath } from '../support.js';

/** An ACL attribute: tag, permissions and id of each entry. */
function acl(...entries: readonly (readonly [tag: number, permissions: number, id: number])[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  for (const [index, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * index);
    bytes.writeUInt16LE(permissions, 6 + 8 * index);
    bytes.writeUInt32LE(id, 8 + 8 * index);
  }
  return bytes;
}

describe('an access control list', () => {
  test('is a line for each entry', () => {
    const value = acl(
      [1, 6, 0xffffffff],
      [2, 4, 1000],
      [4, 5, 0xffffffff],
      [8, 7, 4_000_000_000],
      [16, 7, 0xffffffff],
      [32, 0, 0xffffffff],
    );
    assert.equal(
      formatAcl(value, 'access', 0),
      'user::rw-\nuser:1000:r--\ngroup::r-x\ngroup:4000000000:rwx\nmask::rwx\nother::---\n',
    );
  });

  test('tells what the mask leaves of an entry, where that is less', () => {
    const masked = acl([1, 6, 0], [2, 7, 1000], [4, 4, 0], [8, 7, 1001], [16, 4, 0], [32, 4, 0]);
    const effective = '\t#effective:r--\n';
    assert.equal(
      formatAcl(masked, 'access', 0),
      `user::rw-\nuser:1000:rwx${effective}group::r--\ngroup:1001:rwx${effective}mask::r--\nother::r--\n`,
    );
  });

  test('that is not stored is what the mode says, or nothing', () => {
    assert.equal(formatAcl(undefined, 'access', 0o104751), 'user::rwx\ngroup::r-x\nother::--x\n');
    assert.equal(formatAcl(undefined, 'default', 0o40755), '');
  });

  test('that is damaged is a CorruptError', () => {
    const whole = acl([1, 6, 0], [4, 4, 0], [32, 4, 0]);
    for (let length = 0; length < whole.length; length++) {
      if (length >= 4 && (length - 4) % 8 === 0)
        assert.equal(typeof formatAcl(whole.subarray(0, length), 'access', 0), 'string');
      else assert.throws(() => formatAcl(whole.subarray(0, length), 'access', 0), CorruptError, `${length}`);
    }
    assert.throws(() => formatAcl(acl([3, 6, 0]), 'access', 0), CorruptError);
    assert.throws(
      () => formatAcl(Buffer.concat([Buffer.from([9, 0, 0, 0]), whole.subarray(4)]), 'access', 0),
      CorruptError,
    );
  });
});

/** A capability attribute of revision 2 or 3. */
function capabilities(permitted: bigint, inheritable: bigint, effective: boolean, revision = 2): Buffer {
  const bytes = Buffer.alloc(revision === 3 ? 24 : 20);
  bytes.writeUInt32LE(((revision << 24) | (effective ? 1 : 0)) >>> 0, 0);
  bytes.writeUInt32LE(Number(permitted & 0xffffffffn), 4);
  bytes.writeUInt32LE(Number(inheritable & 0xffffffffn), 8);
  bytes.writeUInt32LE(Number(permitted >> 32n), 12);
  bytes.writeUInt32LE(Number(inheritable >> 32n), 16);
  return bytes;
}

describe('capabilities', () => {
  test('are what getcap prints', needs('getcap', 'setfattr'), () => {
    const path = scratchPath();
    writeFileSync(path, '');
    const values = [
      capabilities(1n << 13n, 0n, true),
      capabilities((1n << 13n) | (1n << 12n), 0n, true),
      capabilities(1n << 13n, 0n, false),
      capabilities(0n, 1n, false),
      capabilities(1n << 13n, 1n << 13n, true),
      capabilities((1n << 13n) | 1n, 1n << 13n, true),
      capabilities((1n << 13n) | 1n, 1n << 5n, false),
      capabilities((1n << 13n) | 1n, 1n << 5n, true),
      capabilities((1n << 40n) - 1n, 0n, true),
      capabilities((1n << 41n) - 1n, 0n, true),
      capabilities((1n << 41n) - 1n - 1n, 0n, true),
      capabilities((1n << 41n) - 1n, (1n << 41n) - 1n, true),
      capabilities(1n << 39n, 0n, true),
    ];
    for (const value of values) {
      execFileSync('setfattr', ['-n', 'security.capability', '-v', `0x${value.toString('hex')}`, path], {
        env: toolEnvironment,
      });
      const theirs = execFileSync('getcap', [path], { env: toolEnvironment, encoding: 'utf8' })
        .trim()
        .slice(path.length)
        .trim();
      assert.equal(formatCapabilities(value), theirs, value.toString('hex'));
    }
  });

  test('that are damaged are a CorruptError', () => {
    const whole = capabilities(1n, 0n, true);
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => formatCapabilities(whole.subarray(0, length)), CorruptError);
    for (const revision of [0, 4, 255]) {
      const bytes = Buffer.from(whole);
      bytes[3] = revision;
      assert.throws(() => formatCapabilities(bytes), CorruptError);
    }
  });
});

test('the checksum crc is that of cksum', needs('cksum'), () => {
  for (const length of [0, 1, 255, 256, 65_536, 100_000]) {
    const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff));
    const sum = new PosixCrc();
    for (let at = 0; at < length; at += 777) sum.update(bytes.subarray(at, at + 777));
    const theirs = execFileSync('cksum', { input: bytes, encoding: 'utf8' }).split(' ')[0];
    assert.equal(sum.result(), theirs);
  }
});
