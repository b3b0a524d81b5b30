/** A call's own bytes, into what the caller gave for them. */
import type { FileSink } from '../../api/index.js';
import { type DownloadSink, sinkFor } from '../wire/sinks.js';

/** Calls `work` with an open sink, which is finished afterwards, or abandoned with the error. */
export async function intoSink(to: FileSink, work: (sink: DownloadSink) => Promise<void>): Promise<void> {
  const sink = sinkFor(to);
  await sink.open();
  try {
    await work(sink);
    await sink.finish();
  } catch (thrown) {
    sink.stopWaiting();
    await sink.abandon();
    throw thrown;
  }
}
