/** The entry of a decoder thread. */
import { workerData } from 'node:worker_threads';
import { serveDecoder, usePlatform } from '../disk/index.js';
import type { DecoderThreadData } from './decoder.js';
import { node } from './node.js';

usePlatform(node);
serveDecoder((workerData as DecoderThreadData).start); // safe: startDecoder starts this thread with nothing else
