/** The bytes that go in with a call, from a file of the host or from a stream of the caller. */
import { open as openFile } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { FileSource } from '../../api/index.js';
import { chunksOf, hostError } from '../../base/index.js';
import { codeOf, Patience, patientReadFlags } from '../machine/patience.js';
import type { ChunkFrame } from './chunk-frame.js';

/** A descriptor, where a handle of a file would close it by itself. */
const openDescriptor = promisify(openFile);

export interface UploadSource {
  /** All there is to send in bytes, where it is known. */
  readonly sizeInBytes: number | undefined;
  /**
   * Puts bytes into an empty frame: as many as fit or, once `idle` has resolved, as many as there are. Resolves to
   * whether more may follow; where there was nothing at all, it is false. Rejects with the source's own failure.
   */
  fill(frame: ChunkFrame, idle: Promise<unknown>): Promise<boolean>;
  /** Nothing more is wanted. What is under way comes to its end by itself. */
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
        // A pipe or a terminal gives what it has, and may have nothing more for long.
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
    // Waits for a read under way. That closing what was only read fails says nothing about the call.
    this.#handle.close().catch(() => {});
  }
}

class StreamReader implements UploadSource {
  readonly sizeInBytes = undefined;
  readonly #pieces: AsyncGenerator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  /** The next piece, asked for and not there yet. */
  #coming: Promise<IteratorResult<Uint8Array>> | undefined;

  constructor(stream: Exclude<FileSource, string>) {
    this.#pieces = chunksOf(stream);
  }

  async fill(frame: ChunkFrame, idle: Promise<unknown>): Promise<boolean> {
    for (;;) {
      this.#piece = this.#piece.subarray(frame.put(this.#piece));
      if (frame.full) return true;
      this.#coming ??= this.#pieces.next();
      // A frame that has something waits only as long as the wire has something to do.
      if (!frame.empty && (await Promise.race([this.#coming, idle.then(() => undefined)])) === undefined)
        return true;
      const { done, value } = await this.#coming;
      this.#coming = undefined;
      if (done === true) return false;
      this.#piece = value;
    }
  }

  close(): void {
    // The call is over, whatever the stream says to being left; one that is waiting hears of it when it wakes.
    this.#coming?.catch(() => {});
    this.#pieces.return(undefined).catch(() => {});
  }
}

/** The bytes of a pipe of the host, as they come; its end is that of its last writer, who may come late. */
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

/** Opens what a caller gave. Rejects with the host's error. Nothing waits in the kernel: see patience.ts. */
export async function openSource(given: FileSource): Promise<UploadSource> {
  if (typeof given !== 'string') return new StreamReader(given);
  let handle: FileHandle | undefined;
  try {
    // Looked at before it is opened: a writer that waits for a reader must not meet one that leaves again.
    if ((await stat(given)).isFIFO()) return pipeReader(given, await openDescriptor(given, patientReadFlags));
    handle = await open(given, patientReadFlags);
    const stats = await handle.stat();
    return new FileReader(given, handle, stats.isFile() ? stats.size : undefined);
  } catch (thrown) {
    await handle?.close();
    throw hostError(given, thrown);
  }
}
