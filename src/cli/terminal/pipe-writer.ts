/**
 * Writes much to a pipe. A write that blocks would keep the process from ending while nobody reads, and one that does not
 * has to be told when there is room: libuv is, by the kernel. It writes through an open file of its own, so that the one
 * that we share with other processes goes on to block. On Linux, where opening `/dev/fd/N` makes one.
 */
import { constants, openSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { ReaderGone } from '../command/failure.js';

/** Its open file lasts as long as the process. */
export class PipeWriter {
  readonly #fd: number;
  #socket: Socket | undefined;

  /** Throws the host's errors: the pipe may belong to another user. */
  constructor(path: string) {
    this.#fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  }

  /** Resolves when the pipe has all of it. Rejects with {@link ReaderGone} on a broken pipe. */
  async write(bytes: Uint8Array): Promise<void> {
    const done = this.#socket === undefined ? this.#writeNow(bytes) : 0;
    if (done === bytes.length) return;
    const socket = this.#open();
    await new Promise<void>((resolve, reject) => {
      socket.write(bytes.subarray(done), (error) => {
        if (error == null) resolve();
        else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new ReaderGone() : error);
      });
    });
  }

  /** As much as there is room for: what is little needs no more. */
  #writeNow(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'EAGAIN') return 0;
      throw code === 'EPIPE' ? new ReaderGone() : thrown;
    }
  }

  /** Loading it takes two milliseconds. */
  #open(): Socket {
    if (this.#socket === undefined) {
      const { Socket } = process.getBuiltinModule('node:net');
      this.#socket = new Socket({ fd: this.#fd, readable: false, writable: true });
      // The write that it ends has the error.
      this.#socket.on('error', () => {});
    }
    return this.#socket;
  }
}
