/** The destinations of a call's downloaded bytes: a file of the host, or a stream of the caller. */
import { statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { FileSink } from '../../api/index.js';
import { hostError, writerTo } from '../../base/index.js';
import { codeOf, O_EXCL, O_TRUNC, Patience, patientFlags } from '../machine/patience.js';

export interface DownloadSink {
  /** The fewest bytes that are worth a write. */
  readonly batchInBytes: number;
  /** Whether a write or the opening may wait for another program: a stream's consumer, a pipe's reader. */
  readonly mayWait: boolean;
  /** Prepares for {@link write}. This and all other methods reject with the sink's own error. */
  open(): Promise<void>;
  /** Takes pieces in order. */
  write(pieces: Buffer[]): Promise<void>;
  finish(): Promise<void>;
  /** The data is no longer wanted: an `open` or `write` that waits for another program rejects soon. */
  stopWaiting(): void;
  /** The call failed: removes what was made for it. Not needed after an `open` that failed. */
  abandon(): Promise<void>;
}

/** The status of a path; undefined if unknown, in which case opening it fails and reports why. */
function typeAt(path: string): 'file' | 'pipe' | 'other' | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    return stats.isFile() ? 'file' : stats.isFIFO() ? 'pipe' : 'other';
  } catch {
    return undefined;
  }
}

/** A host file, created or emptied when opened. A file that is new is removed if the call fails. */
class FileWriter implements DownloadSink {
  readonly batchInBytes = 256 * 1024;
  readonly mayWait: boolean;
  readonly #path: string;
  readonly #patience = new Patience();
  #handle: FileHandle | undefined;
  #created = false;

  constructor(path: string) {
    this.#path = path;
    const type = typeAt(path);
    this.mayWait = type === 'pipe' || type === 'other';
  }

  async open(): Promise<void> {
    await this.#try(async () => {
      try {
        this.#handle = await open(this.#path, patientFlags | O_EXCL, 0o666);
        this.#created = true;
      } catch (thrown) {
        if (codeOf(thrown) !== 'EEXIST') throw thrown;
        this.#handle = await this.#openExisting();
      }
    });
  }

  /** Opens a pipe once it has a reader; other files at once. */
  async #openExisting(): Promise<FileHandle> {
    for (;;) {
      try {
        return await open(this.#path, patientFlags | O_TRUNC, 0o666);
      } catch (thrown) {
        if (codeOf(thrown) !== 'ENXIO' || typeAt(this.#path) !== 'pipe') throw thrown;
        await this.#patience.wait();
      }
    }
  }

  async write(pieces: Buffer[]): Promise<void> {
    await this.#try(async () => {
      let left = pieces;
      while (left.length > 0) left = after(left, await this.#writeSome(left));
    });
  }

  async #writeSome(pieces: Buffer[]): Promise<number> {
    for (;;) {
      try {
        // safe: open, as nothing is written before `open` nor after `finish` or `abandon`
        const { bytesWritten } = await (this.#handle as FileHandle).writev(pieces);
        this.#patience.rewarded();
        return bytesWritten;
      } catch (thrown) {
        if (codeOf(thrown) !== 'EAGAIN') throw thrown;
        await this.#patience.wait();
      }
    }
  }

  async finish(): Promise<void> {
    await this.#try(async () => this.#close());
  }

  stopWaiting(): void {
    this.#patience.end();
  }

  async abandon(): Promise<void> {
    await this.#try(async () => {
      await this.#close();
      // Another program may have removed or replaced the file meanwhile; then nothing is ours to remove.
      if (this.#created) await rm(this.#path, { force: true });
    });
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      throw hostError(this.#path, thrown);
    }
  }
}

/** The rest of `pieces` after their first `count` bytes. */
function after(pieces: Buffer[], count: number): Buffer[] {
  let left = count;
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)];
    left -= piece.length;
  }
  return [];
}

/** A stream of the caller. The handle ends it. */
class StreamWriter implements DownloadSink {
  readonly batchInBytes = 1;
  readonly mayWait = true;
  readonly #write: (piece: Uint8Array) => Promise<void>;

  constructor(stream: Exclude<FileSink, string>) {
    this.#write = writerTo(stream);
  }

  async open(): Promise<void> {}

  async write(pieces: Buffer[]): Promise<void> {
    for (const piece of pieces) await this.#write(piece);
  }

  async finish(): Promise<void> {}

  stopWaiting(): void {}

  async abandon(): Promise<void> {}
}

export function sinkFor(given: FileSink): DownloadSink {
  return typeof given === 'string' ? new FileWriter(given) : new StreamWriter(given);
}
