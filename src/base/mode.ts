/**
 * The file type in a mode (`st_mode`), which inodes, cpio archives and libguestfs's structures share. linux/stat.h.
 */

export const modeTypeMask = 0o170000;

export const modeTypes = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

export type ModeType = keyof typeof modeTypes;

/** The types by the upper four of the sixteen bits. */
const typesByBits = Array.from({ length: 16 }, (_, bits): ModeType | 'unknown' => {
  const [type] = Object.entries(modeTypes).find(([, value]) => value === bits << 12) ?? ['unknown'];
  return type as ModeType | 'unknown'; // safe: the name is one of the table's keys
});

/** The file type; `unknown` for unassigned bits. */
export function typeOfMode(mode: number): ModeType | 'unknown' {
  return typesByBits[(mode & modeTypeMask) >> 12] ?? 'unknown';
}
