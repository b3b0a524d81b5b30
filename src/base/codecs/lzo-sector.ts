/** The sector of all filesystems that a page of 4 KiB made: btrfs's LZO has segments of it. */
export const lzoSegmentLength = 4096;
