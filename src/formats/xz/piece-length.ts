/** The most bytes of one stream: its dictionary is as large. */
export const xzPieceLength = 4 * 1024 * 1024;
