/**
 * Run as a worker by decoder.test.ts: decodes on several threads, tells a checksum, and then stays, blocked, until it is
 * ended from outside.
 */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { packedDisk } from './packed.js';

const { disk } = packedDisk('deflate', 96);
const bytes = new Uint8Array(disk.size);
disk.read(bytes, 0);
parentPort?.postMessage(createHash('sha256').update(bytes).digest('hex'));
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
