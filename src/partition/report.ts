/** The answers of the actions on partitions, made from a table. Pure. */
import { efiSystemType } from './layout.js';
import type { Partition, PartitionTable, SchemeName } from './scheme.js';

/** One line of `part_list`: bytes, with an inclusive end. Exported for the compiler. */
export interface PartitionListing {
  readonly partNum: number;
  readonly partStart: number;
  readonly partEnd: number;
  readonly partSize: number;
}

/**
 * `part_list`: ordered by place on the disk; an extended partition comes before its logical ones. As in parted,
 * entries for the whole disk or for free space, and the parts of a slice, are left out.
 */
export function listPartitions(table: PartitionTable): PartitionListing[] {
  return table.partitions
    .filter(({ isListed }) => isListed !== false)
    .sort((a, b) => a.startInBytes - b.startInBytes || a.number - b.number)
    .map(({ number, startInBytes, sizeInBytes }) => ({
      partNum: number,
      partStart: startInBytes,
      partEnd: startInBytes + sizeInBytes - 1,
      partSize: sizeInBytes,
    }));
}

/** The partition of that number, if there is one. */
export function findPartition(table: PartitionTable, number: number): Partition | undefined {
  return table.partitions.find((partition) => partition.number === number);
}

/** `part_get_bootable`. On GPT, parted also counts the EFI system partition as bootable. */
export function isBootable(partition: Partition): boolean {
  return partition.bootable || partition.gptType === efiSystemType;
}

/** blkid's names for the schemes that blkid knows. */
const blkidNames: Readonly<Partial<Record<SchemeName, string>>> = {
  gpt: 'gpt',
  msdos: 'dos',
  mac: 'mac',
  sun: 'sun',
  dvh: 'sgi',
  bsd: 'bsd',
  atari: 'atari',
  aix: 'aix',
  pc98: 'dos',
};

/** A partition's UUID in the kernel: GPT's own, or the MBR signature with the number; undefined if there is neither. */
export function partitionUuid(table: PartitionTable, partition: Partition): string | undefined {
  if (partition.gptGuid !== undefined) return partition.gptGuid.toLowerCase();
  const { diskSignature } = table;
  return diskSignature && `${diskSignature}-${partition.number.toString(16).padStart(2, '0')}`;
}

/** blkid's `PART_ENTRY_*` facts about a partition, without `PART_ENTRY_DISK`. Sizes in units of 512 bytes. */
export function partitionEntryFacts(table: PartitionTable, partition: Partition): Map<string, string> {
  const facts = new Map<string, string>();
  const set = (name: string, value: string) => facts.set(`PART_ENTRY_${name}`, value);
  const scheme = blkidNames[table.scheme];
  if (scheme === undefined) return facts;
  set('SCHEME', scheme);
  const { labelType } = partition;
  if (table.scheme === 'gpt') {
    if (partition.name) set('NAME', partition.name);
    set('UUID', partitionUuid(table, partition) ?? '');
    set('TYPE', (partition.gptType ?? '').toLowerCase());
    if (partition.attributes) set('FLAGS', `0x${partition.attributes.toString(16)}`);
  } else if (partition.mbrId !== undefined) {
    set('UUID', partitionUuid(table, partition) ?? '');
    set('TYPE', `0x${partition.mbrId.toString(16)}`);
    if (partition.bootable) set('FLAGS', '0x80');
  } else {
    if (partition.name) set('NAME', partition.name);
    if (labelType !== undefined)
      set('TYPE', typeof labelType === 'number' ? `0x${labelType.toString(16)}` : labelType);
  }
  set('NUMBER', String(partition.number));
  set('OFFSET', String(partition.startInBytes / 512));
  set('SIZE', String(partition.sizeInBytes / 512));
  return facts;
}

/** blkid's facts about the partitioned disk: `PTTYPE`, `PTUUID`. */
export function tableFacts(table: PartitionTable): Map<string, string> {
  const uuid = table.scheme === 'gpt' ? table.diskGuid?.toLowerCase() : table.diskSignature;
  const facts = new Map<string, string>();
  // A disk signature of zero means that the MBR has none.
  if (uuid !== undefined && uuid !== '00000000') facts.set('PTUUID', uuid);
  const type = blkidNames[table.scheme];
  if (type !== undefined) facts.set('PTTYPE', type);
  return facts;
}
