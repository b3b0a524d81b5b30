/**
 * On-disk structures of Parallels images. Specification: docs/interop/parallels.txt of qemu. Everything is little-endian;
 * offsets and sizes are in sectors of 512 bytes unless a name says otherwise.
 */
import { struct, text, u32, u64 } from '../../base/index.js';

export const sectorSize = 512;

/** The two forms: entries of the table are in sectors, or in clusters. */
export const header = struct('Parallels header', 'little', 64, () => ({
  magic: text(0, 16),
  version: u32(16),
  heads: u32(20),
  cylinders: u32(24),
  /** Of a cluster. */
  tracks: u32(28),
  bat_entries: u32(32),
  /** Of the guest's disk. In the form by sectors only the lower half counts. */
  nb_sectors: u64(36),
  nb_sectors_low: u32(36),
  inuse: u32(44),
  data_off: u32(48),
}));

/** The value of `inuse` while a program has the image open for writing. */
export const inUse = 0x746f_6e59;

export const tableEntry = struct('Parallels table entry', 'little', 4, () => ({ place: u32(0) }));

/** The largest cluster that qemu takes. */
export const mostTracks = Math.floor(0x7fff_ffff / 513);
