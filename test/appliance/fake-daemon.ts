/**
 * A guestfsd that does what a test tells it, step by step, over a real socket. It puts its messages together from single
 * words, and shares nothing with the code under test but the kinds of values in arguments and results.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { decodeArguments, encodeResult } from '../../src/appliance/wire/codec.js';
import { Connection, type ConnectionOptions } from '../../src/appliance/wire/connection.js';
import { wireAction } from '../../src/appliance/wire/procedures.js';
import { XdrReader, XdrWriter } from '../../src/appliance/wire/xdr.js';
import type { GuestfsError } from '../../src/base/index.js';
import { noise } from '../support/random.js';

export interface FakeRequest {
  program: number;
  version: number;
  proc: number;
  direction: number;
  serial: number;
  hint: bigint;
  mask: bigint;
  status: number;
  args: Buffer;
}
export interface FakeChunk {
  cancel: number;
  data: Buffer;
}

/** Words of 32 bits, big-endian. */
export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

/** A string of XDR. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([words(bytes.length), bytes, Buffer.alloc(-bytes.length & 3)]);
}

export const launchFlag = words(0xf5f55ff5);
export const cancelFlag = words(0xffffeeee);

/** A message with its length. */
export const framed = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([words(body.length), body]);
};

export const chunk = (data: Buffer | string, cancel = 0): Buffer => {
  const bytes = Buffer.from(data as Buffer);
  return framed(words(cancel, bytes.length), bytes, Buffer.alloc(-bytes.length & 3));
};

export class FakeDaemon {
  readonly socket: Socket;
  #buffered: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#buffered.push(bytes);
      this.#length += bytes.length;
      // Reads no faster than the test does.
      if (this.#length > 4 * 1024 * 1024) socket.pause();
      this.#wake?.();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** Bytes that have come and were not read. */
  get unread(): number {
    return this.#length;
  }

  async read(count: number): Promise<Buffer> {
    while (this.#length < count) {
      assert.ok(!this.#ended, 'the client closed the connection');
      this.socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const all = Buffer.concat(this.#buffered);
    this.#buffered = [all.subarray(count)];
    this.#length -= count;
    return all.subarray(0, count);
  }

  async word(): Promise<number> {
    return (await this.read(4)).readUInt32BE(0);
  }

  async request(): Promise<FakeRequest> {
    const body = await this.read(await this.word());
    const word = (at: number) => body.readUInt32BE(at);
    return {
      program: word(0),
      version: word(4),
      proc: word(8),
      direction: word(12),
      serial: word(16),
      hint: body.readBigUInt64BE(20),
      mask: body.readBigUInt64BE(28),
      status: word(36),
      args: body.subarray(40),
    };
  }

  /** The next request, which must be one of this name. */
  async requestOf(name: string): Promise<FakeRequest & { values: unknown[]; options: object }> {
    const request = await this.request();
    const action = wireAction(name);
    assert.ok(action);
    assert.equal(request.proc, action.proc, name);
    const { args, options } = decodeArguments(new XdrReader(request.args), action, request.mask);
    return { ...request, values: args, options };
  }

  async chunk(): Promise<FakeChunk> {
    const length = await this.word();
    assert.ok(length >= 8 && length <= 8200 && length % 4 === 0, `a chunk of ${length}`);
    const body = await this.read(length);
    const size = body.readUInt32BE(4);
    assert.equal(length, 8 + size + (-size & 3));
    return { cancel: body.readUInt32BE(0), data: body.subarray(8, 8 + size) };
  }

  /** All of a file, until the chunk that ends it. */
  async file(): Promise<{ data: Buffer; cancelled: boolean; lengths: number[] }> {
    const pieces: Buffer[] = [];
    for (;;) {
      const { cancel, data } = await this.chunk();
      if (data.length === 0)
        return { data: Buffer.concat(pieces), cancelled: cancel === 1, lengths: pieces.map((p) => p.length) };
      assert.equal(cancel, 0);
      pieces.push(data);
    }
  }

  /** Resolves when the bytes are on their way. */
  write(...parts: Buffer[]): Promise<void> {
    return new Promise((resolve) => this.socket.write(Buffer.concat(parts), () => resolve()));
  }

  header(to: Pick<FakeRequest, 'proc' | 'serial'>, status = 0): Buffer {
    return words(0x2000f5f5, 4, to.proc, 1, to.serial, 0, 0, 0, 0, status);
  }

  ok(to: FakeRequest, ...body: Buffer[]): Promise<void> {
    return this.write(framed(this.header(to), ...body));
  }

  /** A reply with a value in the shape of the tables. */
  give(to: FakeRequest, name: string, value: unknown): Promise<void> {
    const action = wireAction(name);
    assert.ok(action);
    const writer = new XdrWriter();
    encodeResult(writer, action, value);
    return this.ok(to, Buffer.from(writer.finish()));
  }

  fail(to: FakeRequest, errnoName: string, message: string): Promise<void> {
    return this.write(framed(this.header(to, 1), text(errnoName), text(message)));
  }

  progress(to: FakeRequest, position: number, total: number, serial = to.serial): Promise<void> {
    return this.write(words(0xffff5555, to.proc, serial, 0, position, 0, total));
  }

  /** Ends as a process ends that is killed. */
  die(): void {
    this.socket.destroy();
  }
}

export interface Pair {
  daemon: FakeDaemon;
  connection: Connection;
  progress: [position: number, total: number][];
  broken: GuestfsError[];
}

/** A directory of a test's own. */
export function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-wire-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A connection to a fake daemon which has said that it is up, unless `launched` is false. */
export async function pair(
  t: TestContext,
  options: ConnectionOptions & { launched?: boolean; bytewise?: boolean } = {},
): Promise<Pair> {
  const path = join(scratch(t), 'sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const client = createConnection(path);
  const daemon = new FakeDaemon(await accepted);
  server.close();
  const progress: Pair['progress'] = [];
  const broken: GuestfsError[] = [];
  const connection = new Connection(
    options.bytewise ? bytewise(client) : client,
    {
      progress: (position, total) => progress.push([position, total]),
      broken: (error) => broken.push(error),
    },
    options,
  );
  t.after(() => {
    connection.close();
    daemon.die();
  });
  if (options.launched ?? true) {
    await daemon.write(launchFlag);
    await connection.launched;
  }
  return { daemon, connection, progress, broken };
}

/** The same stream, whose data come byte by byte. */
function bytewise(socket: Socket): Duplex {
  const stream = new Duplex({
    read() {},
    write(bytes, _encoding, done) {
      socket.write(bytes, done);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (bytes: Buffer) => {
    for (let i = 0; i < bytes.length; i++) stream.push(bytes.subarray(i, i + 1));
  });
  socket.on('end', () => stream.push(null));
  return stream;
}

/** Bytes that are nowhere alike. */
export function pattern(length: number): Buffer {
  return Buffer.from(noise(length).buffer);
}

export const nobody = {} as const;
