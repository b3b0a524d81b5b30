/** What a check of an image's tables found. */
export interface ImageCheck {
  readonly format: string;
  /** What makes the image unsafe to use. */
  readonly corruptions: number;
  /** Clusters that are counted as used and are not: space is lost, and nothing else. */
  readonly leaks: number;
  /** The first hundred of both, in words. */
  readonly problems: readonly string[];
  readonly imageEndOffset: number;
  readonly totalClusters: number;
  readonly allocatedClusters: number;
  readonly compressedClusters: number;
  readonly fragmentedClusters: number;
  /** The image says of itself that it is corrupt, or was not closed. */
  readonly isMarkedCorrupt: boolean;
  readonly isMarkedDirty: boolean;
}
