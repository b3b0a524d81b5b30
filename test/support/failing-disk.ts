/** A recorded disk whose host fails once, and works again: at one of its writes and barriers. */
import { GuestfsError } from '../../src/base/index.js';
import { RecordingDisk } from './recording-disk.js';

export type HostError = 'EIO' | 'ENOSPC';

export class FailingDisk extends RecordingDisk {
  readonly #code: HostError;
  #left: number;

  /** `at`: which of them fails, from 0. */
  constructor(
    before: Uint8Array,
    { sectorSize = 512, at, code }: { sectorSize?: number; at: number; code: HostError },
  ) {
    super(before, { sectorSize });
    this.#left = at;
    this.#code = code;
  }

  get hasFailed(): boolean {
    return this.#left < 0;
  }

  #count(): void {
    if (this.#left-- === 0) throw new GuestfsError(this.#code, 'the host');
  }

  override write(from: Uint8Array, offset: number): void {
    this.#count();
    super.write(from, offset);
  }

  override zero(offset: number, length: number): void {
    this.#count();
    super.zero(offset, length);
  }

  override flush(): void {
    this.#count();
    super.flush();
  }
}
