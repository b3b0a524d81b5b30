/** The sources of a call's uploaded bytes: a file of the host, or a stream of the caller. */
import { open as openFile } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { FileSource } from '../../api/index.js';
import { chunksOf, hostError } from '../../base/index.js';
import { codeOf, Patience, patientReadFlags } from '../machine/patience.js';
import type { ChunkFrame } from './chunk-frame.js';

/** A plain descriptor, because a file handle would close it by itself. */
const openDescriptor = promisify(openFile);

export interface UploadSource {
  /** The total in bytes, if known. */
  readonly sizeInBytes: number | undefined;
  /**
   * Puts bytes into an empty frame: as many as fit, or as many as are available once `idle` has resolved. Resolves to
   * whether more may follow; false if there was nothing at all. Rejects with the source's own error.
   */
  fill(frame: ChunkFrame, idle: Promise<unknown>): Promise<boolean>;
  /** No more is wanted. A read in progress ends by itself. */
  close(): void;
}

class FileReader implements UploadSource {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #patience = new Patience();
  readonly sizeInBytes: number | undefined;

  constructor(path: string, handle: FileHandle, sizeInBytes: number | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.sizeInBytes = sizeInBytes;
  }

  async fill(frame: ChunkFrame): Promise<boolean> {
    try {
      while (!frame.full) {
        const bytesRead = await this.#readSome(frame);
        if (bytesRead === 0) return false;
        frame.advance(bytesRead);
        // A pipe or a terminal returns what it has now, and may have nothing more for long.
        if (this.sizeInBytes === undefined) break;
      }
      return true;
    } catch (thrown) {
      throw hostError(this.#path, thrown);
    }
  }

  async #readSome(frame: ChunkFrame): Promise<number> {
    for (;;) {
      try {
        const { bytesRead } = await this.#handle.readv(frame.room());
        this.#patience.rewarded();
        return bytesRead;
      } catch (thrown) {
        // A terminal at which nobody types.
        if (codeOf(thrown) !== 'EAGAIN') throw thrown;
        await this.#patience.wait();
      }
    }
  }

  close(): void {
    this.#patience.end();
    // Waits for a read in progress. An error of closing a file that was only read does not matter to the call.
    this.#handle.close().catch(() => {});
  }
}

class StreamReader implements UploadSource {
  readonly sizeInBytes = undefined;
  readonly #pieces: AsyncGenerator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  /** The next piece, requested but not yet available. */
  #coming: Promise<IteratorResult<Uint8Array>> | undefined;

  constructor(stream: Exclude<FileSource, string>) {
    this.#pieces = chunksOf(stream);
  }

  async fill(frame: ChunkFrame, idle: Promise<unknown>): Promise<boolean> {
    for (;;) {
      this.#piece = this.#piece.subarray(frame.put(this.#piece));
      if (frame.full) return true;
      this.#coming ??= this.#pieces.next();
      // A frame that holds data waits only as long as the wire is busy.
      if (!frame.empty && (await Promise.race([this.#coming, idle.then(() => undefined)])) === undefined)
        return true;
      const { done, value } = await this.#coming;
      this.#coming = undefined;
      if (done === true) return false;
      this.#piece = value;
    }
  }

  close(): void {
    // The call is over, even if the stream fails to close; a waiting stream notices when it wakes.
    this.#coming?.catch(() => {});
    this.#pieces.return(undefined).catch(() => {});
  }
}

/** The bytes of a pipe of the host, as they arrive. It ends with its last writer; the first may come late. */
function pipeReader(path: string, fd: number): UploadSource {
  const socket = new Socket({ fd, readable: true, writable: false });
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of socket) yield piece as Uint8Array;
    } catch (thrown) {
      throw hostError(path, thrown);
    } finally {
      socket.destroy();
    }
  };
  const reader = new StreamReader(pieces());
  return {
    sizeInBytes: undefined,
    fill: (frame, idle) => reader.fill(frame, idle),
    close() {
      reader.close();
      socket.destroy();
    },
  };
}

/** Opens the caller's file or stream. Rejects with the host's error. Nothing waits in the kernel: see patience.ts. */
export async function openSource(given: FileSource): Promise<UploadSource> {
  if (typeof given !== 'string') return new StreamReader(given);
  let handle: FileHandle | undefined;
  try {
    // Checked before opening: a writer that waits for a reader must not see one that leaves at once.
    if ((await stat(given)).isFIFO()) return pipeReader(given, await openDescriptor(given, patientReadFlags));
    handle = await open(given, patientReadFlags);
    const stats = await handle.stat();
    return new FileReader(given, handle, stats.isFile() ? stats.size : undefined);
  } catch (thrown) {
    await handle?.close();
    throw hostError(given, thrown);
  }
}
