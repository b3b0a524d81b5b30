/** What the appliance's daemon and qemu may send. */
import { Duplex } from 'node:stream';
import { type ActionName, actionNames, actions } from '../../src/api/index.js';
import { readExtUuid, readKernelImage } from '../../src/appliance/machine/kernel-image.js';
import { Qmp } from '../../src/appliance/machine/qmp.js';
import { decodeResult, encodeResult, type WireAction } from '../../src/appliance/wire/codec.js';
import { FrameReader } from '../../src/appliance/wire/frames.js';
import { flags, readError, readHeader, writeError, writeHeader } from '../../src/appliance/wire/protocol.js';
import { XdrReader, XdrWriter } from '../../src/appliance/wire/xdr.js';
import { readFixture } from '../../test/support/fixtures.js';
import { part, partLater, type Target } from '../target.js';
import { fileOf } from './disks.js';

function written(write: (writer: XdrWriter) => void): Buffer {
  const writer = new XdrWriter();
  write(writer);
  return Buffer.from(writer.finish());
}

/** Results of several shapes: a list of structs, a struct, a table, lists of strings, bytes, numbers. */
const results: Readonly<Partial<Record<ActionName, unknown>>> = {
  list_filesystems: new Map([
    ['/dev/sda1', 'ext4'],
    ['/dev/sda2', 'swap'],
  ]),
  part_list: [{ partNum: 1, partStart: 1048576, partEnd: 2097151, partSize: 1048576 }],
  ls0: undefined,
  find: ['etc', 'etc/passwd'],
  inspect_os: ['/dev/sda1'],
  vfs_type: 'ext4',
  blockdev_getsize64: 2 ** 40,
  pread: Buffer.from('bytes'),
  is_dir: true,
};

const wireActions = actionNames.filter((name) => 'proc' in actions[name]);
const wireOf = (name: ActionName): WireAction => actions[name] as unknown as WireAction; // safe: those with a procedure

/**
 * The first byte of an input chooses the action, the rest is its result; each is also read as the results of some
 * others.
 */
const xdr: Target = {
  name: 'appliance/xdr',
  fixtures: Object.keys(results).filter((name) => results[name as ActionName] !== undefined),
  load: (fixture) =>
    written((writer) => encodeResult(writer, wireOf(fixture as ActionName), results[fixture as ActionName])),
  moves: true,
  run(bytes, fixture) {
    const message = Buffer.from(bytes);
    part(() => decodeResult(new XdrReader(message), wireOf(fixture as ActionName)));
    const first = bytes.length === 0 ? 0 : ((bytes.at(-1) ?? 0) * 257 + (bytes[0] ?? 0)) % wireActions.length;
    for (let i = 0; i < 8; i++) {
      const name = wireActions[(first + i) % wireActions.length];
      if (name !== undefined) part(() => decodeResult(new XdrReader(message), wireOf(name)));
    }
  },
};

/** A reply, chunks, progress and the daemon's flags, one after another. */
function conversation(): Uint8Array {
  const header = { proc: 1, serial: 0x123400, reply: true, failed: false, progressHint: 0, optionsMask: 0n };
  const reply = Buffer.concat([Buffer.alloc(44), written((writer) => writer.string('/dev/sda'))]);
  writeHeader(reply, header);
  const failure = Buffer.concat([
    Buffer.alloc(44),
    written((writer) => writeError(writer, { errnoName: 'ENOENT', text: 'no such file' })),
  ]);
  writeHeader(failure, { ...header, failed: true });
  const word = (value: number): Buffer => written((writer) => writer.uint32(value));
  const chunk = written((writer) => {
    writer.uint32(8 + 12);
    writer.bool(false);
    writer.opaque(Buffer.from('eleven char'));
  });
  const progress = Buffer.concat([word(flags.progress), word(1), word(0x123400), Buffer.alloc(16)]);
  return Buffer.concat([word(flags.launch), reply, progress, failure, word(flags.cancel), chunk]);
}

const frames: Target = {
  name: 'appliance/frames',
  fixtures: ['conversation'],
  load: conversation,
  moves: true,
  run(bytes) {
    for (const expectsChunks of [false, true]) {
      for (const length of [7, 65_536]) {
        part(() => {
          const reader = new FrameReader({
            launched() {},
            cancelled() {},
            progress() {},
            message(message) {
              part(() => {
                const words = new XdrReader(message);
                if (readHeader(words).failed) readError(words);
              });
            },
            data() {},
            end() {},
          });
          reader.expectsChunks = expectsChunks;
          for (let at = 0; at < bytes.length; at += length)
            reader.push(Buffer.from(bytes.subarray(at, at + length)));
        });
      }
    }
  },
};

const monitor = [
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}',
  '{"return": {}, "id": 1}',
  '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "x"}}',
  '{"error": {"class": "GenericError", "desc": "no"}, "id": 2}',
  '{"return": [{"name": "a"}], "id": 3}',
];

const qmp: Target = {
  name: 'appliance/qmp',
  fixtures: ['monitor'],
  load: () => Buffer.from(`${monitor.join('\r\n')}\r\n`),
  moves: true,
  async run(bytes) {
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const client = new Qmp(stream);
    client.onEvent(() => {});
    const commands = ['query-status', 'query-block'].map((name) => partLater(() => client.command(name)));
    const negotiated = partLater(() => client.negotiate());
    for (let at = 0; at < bytes.length; at += 100) stream.push(Buffer.from(bytes.subarray(at, at + 100)));
    stream.push(null);
    await Promise.all([negotiated, ...commands]);
  },
};

const kernel: Target = {
  name: 'appliance/kernel',
  fixtures: ['kernel', 'root'],
  load(fixture) {
    if (fixture === 'root') return readFixture('scenarios/deleted.img.gz').slice(0, 4096);
    const bytes = Buffer.alloc(2048);
    bytes.write('HdrS', 0x202);
    bytes.writeUInt16LE(0x200, 0x20e);
    bytes.write('6.1.0-18-cloud-amd64 (x@y) #1 SMP\0', 0x400);
    return bytes;
  },
  run(bytes) {
    const path = fileOf(bytes);
    part(() => readKernelImage(path));
    part(() => readExtUuid(path));
  },
};

export const applianceTargets: readonly Target[] = [xdr, frames, qmp, kernel];
