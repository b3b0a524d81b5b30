/**
 * Decoder threads of Node. Those of a worker end with the worker, whatever they are doing. A process ends without waiting
 * for its own.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { isBundled, isStandalone } from '../base/index.js';
import type { DecoderStart, DecoderThread } from '../disk/index.js';

/** What decoder-thread.ts is started with. */
export interface DecoderThreadData {
  readonly start: DecoderStart;
  readonly port: MessagePort;
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
  const { port1, port2 } = new MessageChannel();
  const workerData: DecoderThreadData = { start, port: port2 };
  const worker = new Worker(threadFile(), {
    workerData,
    transferList: [port2],
    execArgv: [],
    name: 'guestfs-decoder',
    resourceLimits,
  });
  port1.unref();
  worker.unref();
  worker.on('error', onFailure);
  worker.on('exit', () => {
    port1.close();
    onEnd();
  });
  return {
    receive: () => receiveMessageOnPort(port1)?.message,
    end() {
      port1.close();
      void worker.terminate();
    },
  };
}
