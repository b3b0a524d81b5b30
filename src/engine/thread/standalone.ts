/** The worker in one file: whoever starts it says by the data whether it is the engine or one of its decoders. */
import { workerData } from 'node:worker_threads';
import { serveDecoder, usePlatform } from '../../disk/index.js';
import { type DecoderThreadData, node } from '../../platform/index.js';

// safe: only startThread and startDecoder start this thread
const data = workerData as DecoderThreadData | { readonly start?: undefined };
if (data.start === undefined) void import('./worker.js');
else {
  usePlatform(node);
  serveDecoder(data.start);
}
