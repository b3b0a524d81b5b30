/**
 * Decoder threads of Node. Those of a worker end with the worker, whatever they are doing. A process ends without waiting
 * for its own.
 */
import { Worker } from 'node:worker_threads';
import { isBundled, isStandalone } from '../base/index.js';
import type { DecoderStart, DecoderThread } from '../disk/index.js';

/** What decoder-thread.ts is started with: the worker in one file knows by it what it is. */
export interface DecoderThreadData {
  readonly start: DecoderStart;
}

const moduleUrl = import.meta.url;

function threadFile(): URL {
  if (isStandalone) return new URL(moduleUrl);
  return new URL(isBundled ? './decoder-thread.cjs' : './decoder-thread.js', moduleUrl);
}

/** Limits of a thread's heap in MiB. What it decodes lies outside; a small young generation lets go of it soon. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** Starts a decoder thread, which keeps no process alive. */
export function startDecoder(start: DecoderStart, onFailure: () => void, onEnd: () => void): DecoderThread {
  const worker = new Worker(threadFile(), {
    workerData: { start } satisfies DecoderThreadData,
    execArgv: [],
    name: 'guestfs-decoder',
    resourceLimits,
  });
  worker.unref();
  worker.on('error', onFailure);
  worker.on('exit', onEnd);
  return {
    end() {
      void worker.terminate();
    },
  };
}
