/** What extent trees and block maps have in common for those who change them. */
import type { BlockRange } from './space.js';

/** What lies at a block of a file. */
export interface MappedRun {
  readonly kind: 'written' | 'unwritten' | 'hole';
  /** The first block on the disk; 0 for a hole. */
  readonly block: number;
  /** How many blocks are of the kind and lie together; at least 1. */
  readonly count: number;
}

/** Blocks of a file, and where they lie. */
export interface PlacedRange extends BlockRange {
  readonly logical: number;
}

/** Where the blocks of a file lie. Changes are there for others when {@link FileMap.store} was called. */
export interface FileMap {
  /** A file has fewer blocks than this. */
  readonly limit: number;
  /** How much is kept in memory for it, in entries. */
  readonly size: number;
  at(logical: number): MappedRun;
  /** The end of the last block that has a place; 0 where none has. */
  end(): number;
  /** A place on the disk near which a new block should lie; undefined for a file without blocks. */
  goal(logical: number): number | undefined;
  set(logical: number, range: BlockRange, written: boolean): void;
  /** Takes blocks out. Where they lie, in order: the caller gives them back. */
  remove(logical: number, count: number): PlacedRange[];
  /** Makes it durable with its transaction. How many blocks more the map itself has now. */
  store(): number;
  /** All that the file has: blocks, and those of the map itself. */
  ranges(): Iterable<BlockRange>;
}
