/** Run as a worker by streams.test.ts: reads a fileIn stream to its end, and tells what it read. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { GuestfsError, Mailbox } from '../../../src/base/index.js';
import { streamMailbox } from '../../../src/engine/thread/messages.js';
import { StreamSource } from '../../../src/engine/thread/streams.js';

export interface ReaderData {
  readonly streams: SharedArrayBuffer;
  readonly incoming: MessagePort;
  readonly serial: number;
  /** Not 0: the call is cancelled. */
  readonly cancelled: Int32Array;
}

const { streams, incoming, serial, cancelled } = workerData as ReaderData; // safe: streams.test.ts starts it so
const port = parentPort as MessagePort; // safe: a worker has one
const source = new StreamSource({
  port,
  incoming,
  mailbox: new Mailbox(streams, streamMailbox),
  serial,
  touch() {},
  checkpoint() {
    if (Atomics.load(cancelled, 0) !== 0) throw new GuestfsError('ECANCELED', 'the call was cancelled');
  },
});
const pieces: Uint8Array[] = [];
const piece = new Uint8Array(1000);
try {
  for (let length = source.read(piece); length > 0; length = source.read(piece))
    pieces.push(piece.slice(0, length));
  port.postMessage({ bytes: Buffer.concat(pieces) });
} catch (thrown) {
  port.postMessage({ code: (thrown as GuestfsError).code, length: Buffer.concat(pieces).length });
}
incoming.close();
