/**
 * Recognises ext and its version, by the rules of blkid (util-linux, libblkid/src/superblocks/ext.c): ext4 has a
 * feature that ext3 lacks, ext3 has a journal, ext2 is the rest; an external journal is `jbd`.
 */
import { type Decoded, formatUuid, viewOf } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { compat, incompat, roCompat } from './features.js';
import { extMagic, superblock, superblockFlags } from './layout.js';
import { has, readSuperblockBytes } from './superblock.js';

const ext2Incompat = incompat.filetype | incompat.metaGroups;
const ext3Incompat = ext2Incompat | incompat.needsRecovery;
const ext3RoCompat = roCompat.sparseSuper | roCompat.largeFile | roCompat.btreeDir;

type Raw = Decoded<typeof superblock.fields>;

/** The type's name; undefined for what blkid would not name. */
function typeOf(raw: Raw): string | undefined {
  const ro = raw.s_feature_ro_compat;
  const incompatible = raw.s_feature_incompat;
  if (has(incompatible, incompat.journalDevice)) return 'jbd';
  if (has(raw.s_flags, superblockFlags.testFilesystem)) return 'ext4dev';
  if ((ro & ~ext3RoCompat) !== 0 || (incompatible & ~ext3Incompat) !== 0) return 'ext4';
  if (has(raw.s_feature_compat, compat.hasJournal)) return 'ext3';
  return (incompatible & ~ext2Incompat) === 0 ? 'ext2' : undefined;
}

/** What the superblock at byte 1024 tells. */
export function probeExt(disk: Disk): Probed | undefined {
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  if (superblock.get(view, 0, 's_magic') !== extMagic) return undefined;
  const raw = decodeForProbe(view);
  const type = typeOf(raw);
  // A wrong checksum is the opener's concern: a damaged superblock is still ext's.
  if (type === undefined) return undefined;
  const facts: Record<string, string> = {};
  if (type !== 'ext2' && type !== 'jbd' && (raw.s_feature_incompat & ~ext2Incompat) === 0)
    facts.SEC_TYPE = 'ext2';
  facts.VERSION = `${raw.s_rev_level}.${raw.s_minor_rev_level}`;
  const blockSize = raw.s_log_block_size < 32 ? 1024 * 2 ** raw.s_log_block_size : 0;
  if (blockSize > 0) facts.BLOCK_SIZE = String(blockSize);
  if (has(raw.s_feature_compat, compat.hasJournal) && raw.s_journal_uuid.some((byte) => byte !== 0))
    facts.EXT_JOURNAL = formatUuid(raw.s_journal_uuid);
  const uuid = raw.s_uuid.some((byte) => byte !== 0) ? formatUuid(raw.s_uuid) : '';
  if (type === 'jbd' && uuid !== '') facts.LOGUUID = uuid;
  facts.USAGE = type === 'jbd' ? 'other' : 'filesystem';
  return { type, label: raw.s_volume_name, uuid, facts };
}

function decodeForProbe(view: DataView): Raw {
  return superblock.decode(view); // no field throws: the 64-bit ones are opaque
}
