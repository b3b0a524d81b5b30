/** XDR: the byte vectors that rpcgen's own code made, there and back; and what bad bytes give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkFrame } from '../../src/appliance/wire/chunk-frame.js';
import {
  decodeArguments,
  decodeResult,
  encodeArguments,
  encodeResult,
  structKind,
  type WireAction,
} from '../../src/appliance/wire/codec.js';
import { FrameReader } from '../../src/appliance/wire/frames.js';
import { wireAction } from '../../src/appliance/wire/procedures.js';
import {
  beforeBody,
  cancelChunk,
  endChunk,
  type ProgressMessage,
  readError,
  readHeader,
  writeError,
  writeHeader,
} from '../../src/appliance/wire/protocol.js';
import { ProtocolError, XdrReader, XdrWriter } from '../../src/appliance/wire/xdr.js';
import { GuestfsError } from '../../src/base/index.js';
import { needsFacts, readFacts } from '../support/facts.js';

interface Vector {
  name: string;
  len: number;
  hex: string;
}

function action(name: string): WireAction {
  const found = wireAction(name);
  assert.ok(found, name);
  return found;
}

function written(write: (writer: XdrWriter) => void): Buffer {
  const writer = new XdrWriter();
  write(writer);
  return Buffer.from(writer.finish());
}

/** What a frame reader tells of bytes in pieces of a length. */
function heard(bytes: Buffer, piece: number, chunks: boolean): unknown[] {
  const told: unknown[] = [];
  const reader = new FrameReader({
    launched: () => told.push('launched'),
    cancelled: () => told.push('cancelled'),
    progress: (message: ProgressMessage) => told.push(message),
    message: (message) => told.push(Buffer.from(message).toString('hex')),
    data: (data) => {
      const last = told.at(-1);
      if (last instanceof Buffer) told[told.length - 1] = Buffer.concat([last, data]);
      else told.push(Buffer.from(data));
    },
    end: (cancelled) => told.push(cancelled ? 'cancel' : 'end'),
  });
  reader.expectsChunks = chunks;
  for (let at = 0; at < bytes.length; at += piece) reader.push(Buffer.from(bytes.subarray(at, at + piece)));
  assert.ok(reader.atBorder);
  return told;
}

const framed = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};

/** A call's arguments there and back. */
function argumentsOf(name: string, args: unknown[], options: Record<string, unknown> = {}) {
  return (bytes: Buffer): Buffer => {
    let mask = 0n;
    const mine = written((w) => {
      mask = encodeArguments(w, action(name), args, options);
    });
    assert.deepEqual(decodeArguments(new XdrReader(bytes), action(name), mask), { args, options });
    return mine;
  };
}

function resultOf(name: string, value: unknown) {
  return (bytes: Buffer): Buffer => {
    assert.deepEqual(decodeResult(new XdrReader(bytes), action(name)), value);
    return written((w) => encodeResult(w, action(name), value));
  };
}

function errorOf(errnoName: string, text: string) {
  return (bytes: Buffer): Buffer => {
    assert.deepEqual(readError(new XdrReader(bytes)), { errnoName, text });
    return written((w) => writeError(w, { errnoName, text }));
  };
}

function chunkOf(told: unknown, bytes: () => Buffer) {
  return (vector: Buffer): Buffer => {
    for (const piece of [vector.length + 4, 1]) assert.deepEqual(heard(framed(vector), piece, true), [told]);
    return bytes().subarray(4);
  };
}

/** Decodes a vector and checks what it says, then encodes the same. */
const meaning: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => {
    const header = {
      proc: 1,
      serial: 0x123400,
      reply: false,
      failed: false,
      progressHint: Number(0x1122334455667788n),
      optionsMask: 5n,
    };
    assert.deepEqual(readHeader(new XdrReader(bytes)), header);
    const mine = Buffer.alloc(beforeBody);
    writeHeader(mine, { ...header, progressHint: 0 });
    assert.equal(mine.readUInt32BE(0), 40);
    // No number holds this hint; a file that large does not exist either.
    mine.writeBigUInt64BE(0x1122334455667788n, 24);
    return mine.subarray(4);
  },
  argumentsOf('mount', ['/dev/sda1', '/']),
  argumentsOf('mkfs', ['ext2', '/dev/sda1'], { label: 'abc' }),
  argumentsOf('vgcreate', ['VG', ['/dev/sda1', '/dev/sdb']]),
  argumentsOf('internal_write', ['/a', Buffer.from('68006c6c6f', 'hex')]),
  argumentsOf('aug_defvar', ['n', 'x']),
  argumentsOf('aug_defvar', ['n', null]),
  resultOf('lvs_full', [
    {
      lvName: 'LV',
      lvUuid: '0123456789abcdef0123456789abcdef',
      lvAttr: '-wi-a-',
      lvMajor: -1,
      lvMinor: -1,
      lvKernelMajor: 253,
      lvKernelMinor: 0,
      lvSize: 8388608,
      segCount: 1,
      origin: '',
      snapPercent: null,
      copyPercent: 12.5,
      movePv: '',
      lvTags: '',
      mirrorLog: '',
      modules: '',
    },
  ]),
  (bytes) => {
    const entry = { ino: 12, ftyp: 'd', name: 'lost+found' };
    assert.deepEqual(structKind('dirent').read(new XdrReader(bytes)), entry);
    return written((w) => structKind('dirent').write(w, entry));
  },
  resultOf('exists', true),
  resultOf('filesize', -2),
  errorOf('ENOENT', 'mount: no such file'),
  errorOf('', 'x'),
  chunkOf(Buffer.from('abc'), () => {
    const frame = new ChunkFrame(1);
    frame.put(Buffer.from('abc'));
    return frame.take();
  }),
  chunkOf('end', () => endChunk),
  chunkOf('cancel', () => cancelChunk),
  (bytes) => {
    const flag = Buffer.from('ffff5555', 'hex');
    const message = { proc: 66, serial: 0x123401, position: 1, total: 2 };
    for (const piece of [28, 1])
      assert.deepEqual(heard(Buffer.concat([flag, bytes]), piece, false), [message]);
    return bytes;
  },
  resultOf('list_filesystems', new Map([['/dev/sda1', 'ext2']])),
];

test(
  "every byte vector is decoded and encoded as rpcgen's code does it",
  needsFacts('api/xdr-vectors.json'),
  () => {
    const vectors = readFacts<Vector[]>('api/xdr-vectors.json');
    assert.equal(vectors.length, meaning.length);
    for (const [index, { name, len, hex }] of vectors.entries()) {
      const bytes = Buffer.from(hex, 'hex');
      assert.equal(bytes.length, len);
      const check = meaning[index];
      assert.ok(check);
      assert.equal(check(bytes).toString('hex'), hex, name);
    }
  },
);

test(
  'a vector as a message is the same in one piece and byte by byte',
  needsFacts('api/xdr-vectors.json'),
  () => {
    const header = Buffer.alloc(40, 7);
    for (const { name, hex } of readFacts<Vector[]>('api/xdr-vectors.json')) {
      const body = Buffer.concat([header, Buffer.from(hex, 'hex')]);
      const twice = Buffer.concat([framed(body), framed(body)]);
      for (const piece of [twice.length, 1, 7, 43])
        assert.deepEqual(heard(twice, piece, false), [body.toString('hex'), body.toString('hex')], name);
    }
  },
);

test('a name that is not UTF-8 survives the way there and back', () => {
  const name = 'caf\udce9\udcff/ÿ/日本';
  const bytes = written((w) => w.string(name));
  assert.deepEqual(
    bytes.subarray(4, 4 + bytes.readUInt32BE(0)),
    Buffer.concat([Buffer.from('caf'), Buffer.of(0xe9, 0xff), Buffer.from('/ÿ/日本')]),
  );
  assert.equal(new XdrReader(bytes).string(), name);
});

test('64-bit numbers are exact to ±(2^53 − 1), and beyond that ERANGE', () => {
  for (const value of [
    0,
    1,
    -1,
    2 ** 32,
    -(2 ** 32) - 1,
    Number.MAX_SAFE_INTEGER,
    -Number.MAX_SAFE_INTEGER,
  ]) {
    const bytes = written((w) => w.int64(value));
    assert.equal(bytes.readBigInt64BE(0), BigInt(value));
    assert.equal(new XdrReader(bytes).int64(), value);
  }
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    assert.throws(() => new XdrReader(bytes).int64(), { code: 'ERANGE', message: new RegExp(`${value} is`) });
  }
  const all = Buffer.alloc(8, 0xff);
  assert.throws(() => new XdrReader(all).uint64(), { code: 'ERANGE', message: /18446744073709551615 is/ });
  assert.equal(new XdrReader(all).bits64(), 2n ** 64n - 1n);
});

test('bits of 64 are bigints both ways', () => {
  const set = action('part_set_gpt_attributes');
  const args = ['/dev/sda', 1, 2n ** 63n + 5n];
  const bytes = written((w) => void encodeArguments(w, set, args, {}));
  assert.equal(bytes.readBigUInt64BE(bytes.length - 8), 2n ** 63n + 5n);
  assert.deepEqual(decodeArguments(new XdrReader(bytes), set, 0n), { args, options: {} });
  assert.equal(
    decodeResult(new XdrReader(bytes.subarray(-8)), action('part_get_gpt_attributes')),
    2n ** 63n + 5n,
  );
});

test('options that an old daemon lacks are not sent, not even as unset', () => {
  const tar = action('tar_in');
  const whole = written((w) => void encodeArguments(w, tar, ['x', '/'], { xattrs: true }));
  const old = written((w) => void encodeArguments(w, tar, ['x', '/'], { xattrs: true }, ['keepdirlink']));
  assert.deepEqual(old, whole.subarray(0, -4));
});

test(
  'a truncated result is a ProtocolError at every length, and so is a longer one',
  needsFacts('api/xdr-vectors.json'),
  () => {
    const names = ['lvs_full', 'list_filesystems', 'exists', 'filesize'];
    const value = {
      lvs_full: readFacts<Vector[]>('api/xdr-vectors.json')[7]?.hex ?? '',
      list_filesystems: readFacts<Vector[]>('api/xdr-vectors.json')[17]?.hex ?? '',
      exists: '00000001',
      filesize: '0000000000000007',
    } as Record<string, string>;
    for (const name of names) {
      const bytes = Buffer.from(value[name] ?? '', 'hex');
      for (let length = 0; length < bytes.length; length++)
        assert.throws(
          () => decodeResult(new XdrReader(bytes.subarray(0, length)), action(name)),
          ProtocolError,
        );
      assert.throws(
        () => decodeResult(new XdrReader(Buffer.concat([bytes, Buffer.alloc(4)])), action(name)),
        ProtocolError,
      );
    }
  },
);

test('every length word of a result at its largest is a ProtocolError, and takes no memory', () => {
  const results = [
    ['lvs_full', 100],
    ['readdir', 100],
    ['getxattrs', 100],
    ['list_filesystems', 100],
    ['vfs_type', 100],
    ['pread', 100],
    ['list_devices', 100],
    ['utsname', 100],
  ] as const;
  for (const [name, length] of results)
    for (const fill of [0xff, 0x7f, 0x3f]) {
      const bytes = Buffer.alloc(length, fill);
      assert.throws(() => decodeResult(new XdrReader(bytes), action(name)), GuestfsError, name);
    }
  // A count that would be believed if elements took no room.
  const many = Buffer.concat([Buffer.from('00ffffff', 'hex'), Buffer.alloc(1024)]);
  assert.throws(
    () => decodeResult(new XdrReader(many), action('readdir')),
    /list of 16777215 elements in 1024/,
  );
});

test('values that no encoder makes are ProtocolErrors', () => {
  const of = (hex: string, name: string) => () =>
    decodeResult(new XdrReader(Buffer.from(hex, 'hex')), action(name));
  assert.throws(of('00000002', 'exists'), /2 as a boolean/);
  assert.throws(of('0000000100000001' + '61000000', 'list_filesystems'), /a table of 1 keys and values/);
  assert.throws(
    of('00000001' + '0000000000000001' + '00000100' + '00000000', 'readdir'),
    /256 as a character/,
  );
});
