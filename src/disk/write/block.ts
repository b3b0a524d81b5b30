/** A block in memory. */
export interface Block {
  readonly number: number;
  /** Where it lies on the disk, in bytes. */
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}
