/**
 * A new image with a filesystem that holds what directories and archives of the host hold. Nothing in it comes from the
 * clock or from chance: the identifiers are made of a digest of the content, so that the same content is the same image.
 */
import type { FilesystemRequest, MadeFilesystem } from '../../../api/index.js';
import { encodeHex, formatGuid } from '../../../base/index.js';
import { type Disk, platform, SliceDisk } from '../../../disk/index.js';
import { newPartitionTable } from '../../../partition/index.js';
import { ContentTree } from '../../../vfs/index.js';
import { resolveAccessLists } from '../../host/contents/access-lists.js';
import { fatTree } from '../../host/contents/fat-room.js';
import { type Measured, measure } from '../../host/contents/measure.js';
import {
  derivedUuid,
  type FilesystemPlan,
  type FilesystemWish,
  layoutVersion,
  planFilesystem,
} from '../../host/contents/plan.js';
import { addSource } from '../../host/contents/sources.js';
import { withNewImage } from '../../host/new-image.js';
import type { Call } from '../../thread/call.js';

/** Where partitions begin, and what a GPT has behind them at least; disks are a multiple of it long. In bytes. */
const alignment = 1024 * 1024;
const sectorSize = 512;
/** Firmware wants FAT32, which less than 33 MiB cannot be. */
const efiWish: FilesystemWish = { type: 'vfat', freeInBytes: 16 * alignment, efiInBytes: 64 * alignment };
const efiName = 'EFI System Partition';
const efiType = 0xef;

/** A filesystem, and the part of the disk that it gets, in bytes. */
interface Part {
  readonly measured: Measured;
  readonly plan: FilesystemPlan;
  readonly start: number;
}

function planPart(
  call: Call,
  sources: readonly string[],
  wish: FilesystemWish,
  start: number,
  open: Disk[],
): Part {
  const given = new ContentTree();
  for (const source of sources) addSource(call, given, source, open);
  const tree = wish.type === 'vfat' ? fatTree(call, given) : given;
  resolveAccessLists(tree);
  const measured = measure(call, tree);
  return { measured, plan: planFilesystem(call, tree, measured, wish), start };
}

/** Where the next partition begins. */
const endOf = ({ plan, start }: Part): number =>
  Math.ceil((start + plan.sizeInBytes) / alignment) * alignment;

/** A table on a blank disk. `digest`: of all that its partitions hold. */
function addTable(
  disk: Disk,
  scheme: 'gpt' | 'msdos',
  parts: readonly Part[],
  efi: Part | undefined,
  digest: Uint8Array,
): void {
  const table = newPartitionTable(disk, sectorSize, scheme, derivedUuid(digest, 'disk'));
  for (const part of parts) {
    const first = part.start / sectorSize;
    const last = first + part.plan.sizeInBytes / sectorSize - 1;
    const number = table.add({ kind: 'primary', first, last });
    if (table.scheme === 'gpt') {
      table.setGuid(
        number,
        formatGuid(derivedUuid(part.measured.digest, part === efi ? 'EFI partition' : 'partition')),
      );
      if (part !== efi) continue;
      table.setBootable(number, true);
      table.setName(number, efiName);
    } else if (part === efi) table.setType(number, efiType);
  }
  table.write();
}

function digestOf(parts: readonly Part[]): Uint8Array {
  const [only, other] = parts;
  if (only !== undefined && other === undefined) return only.measured.digest;
  const hash = platform().hash('sha256');
  for (const { measured } of parts) hash.update(measured.digest);
  return hash.digest();
}

export function makeFilesystem(call: Call, given: string): MadeFilesystem {
  const request = JSON.parse(given) as FilesystemRequest; // safe: the handle's own method made it
  const { sources, partition } = request;
  const open: Disk[] = [];
  try {
    const start = partition === undefined ? 0 : alignment;
    const efi = request.efi && planPart(call, request.efi, efiWish, start, open);
    const main = planPart(call, sources, request, efi === undefined ? start : endOf(efi), open);
    const parts = efi === undefined ? [main] : [efi, main];
    const end = endOf(main);
    const sizeInBytes =
      partition === undefined ? main.plan.sizeInBytes : partition === 'gpt' ? end + alignment : end;
    const digest = digestOf(parts);
    withNewImage(call, request, sizeInBytes, (disk) => {
      if (partition === undefined) return main.plan.fill(disk, 0);
      addTable(disk, partition === 'gpt' ? 'gpt' : 'msdos', parts, efi, digest);
      for (const { plan, start } of parts) plan.fill(new SliceDisk(disk, start, plan.sizeInBytes), start);
    });
    return {
      sizeInBytes,
      uuid: main.plan.uuid,
      ...(efi === undefined ? {} : { efiUuid: efi.plan.uuid }),
      digest: encodeHex(digest),
      layoutVersion,
      entries: parts.reduce((sum, { measured }) => sum + measured.entries.length, 0),
    };
  } finally {
    for (const disk of open) disk.close();
  }
}
