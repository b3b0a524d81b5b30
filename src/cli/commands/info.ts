/** `guestfs info`: the image file itself, and how the disk in it is divided. */
import { resolve } from 'node:path';
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import {
  type ChainLink,
  type ImageInfo,
  type ImageSnapshot,
  imageChain,
  imageInfo,
  imageSnapshots,
  imageSummary,
} from '../../guestfs/index.js';
import type { Command, Invocation } from '../command/invocation.js';
import { imageOptions, sizeOptions } from '../command/options.js';
import { type DiskFacts, type DriveFacts, describeDisks, type PartitionFacts } from '../guest/disk-facts.js';
import { timeText } from '../guest/file-words.js';
import { type Guest, openingFailure, withGuest } from '../guest/guest.js';
import { readOneImage } from '../guest/image-argument.js';
import { failIfDamaged } from '../guest/unreadable.js';
import { hostSizes } from '../host/host-files.js';
import type { SizeFormat } from '../terminal/sizes.js';
import { type ColumnOf, factLines, tableOf } from '../terminal/table.js';
import { visible } from '../terminal/visible.js';

/** An image with its internal snapshots, up to the limit. */
interface Link extends ImageInfo {
  /** On the host, absolute. */
  readonly path: string;
  readonly snapshots?: readonly ImageSnapshot[];
  readonly isPacked?: true;
  /** Those that were not listed. */
  readonly snapshotsLeftOut?: number;
}

type Chain = Link[];

/** Limits for one image: the number of snapshots that are listed, and the characters of all their names. */
const mostSnapshots = 10_000;
const mostCharacters = 1024 * 1024;

async function withSnapshots(link: ChainLink): Promise<Link> {
  const { snapshotCount, ...shown } = link;
  if (snapshotCount === undefined) return shown;
  const snapshots: ImageSnapshot[] = [];
  let characters = 0;
  if (snapshotCount > 0)
    for await (const snapshot of imageSnapshots(link.path, link.format)) {
      characters += snapshot.id.length + snapshot.name.length;
      if (snapshots.length === mostSnapshots || characters > mostCharacters) break;
      snapshots.push(snapshot);
    }
  const left = snapshotCount - snapshots.length;
  return { ...shown, snapshots, ...(left > 0 ? { snapshotsLeftOut: left } : {}) };
}

const allWithSnapshots = async (links: readonly ChainLink[]): Promise<Chain> => {
  const chain: Chain = [];
  for (const link of links) chain.push(await withSnapshots(link));
  return chain;
};

/** The image and all images below it. Only the image itself if one below it cannot be opened. */
async function readChain(invocation: Invocation, image: string): Promise<{ chain: Chain; problem?: string }> {
  const { options } = invocation;
  const format = options.text('format');
  const named = format === undefined ? {} : { format };
  try {
    const policy = options.flag('trust') ? ('trusted' as const) : ('untrusted' as const);
    return { chain: await allWithSnapshots(await imageChain(image, { ...named, policy })) };
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    // The image's own header may be valid even so.
    try {
      const info = await imageInfo(image, format);
      return {
        chain: await allWithSnapshots([{ ...info, path: resolve(image) }]),
        problem: thrown.bareMessage,
      };
    } catch (own) {
      if (own instanceof UnsupportedError && format === undefined)
        return { chain: [await readSummary(image, invocation)], problem: thrown.bareMessage };
      throw openingFailure(own, image, invocation);
    }
  }
}

/** The facts in the header of a format that cannot be read. Throws the error to report. */
async function readSummary(image: string, invocation: Invocation): Promise<Chain[number]> {
  try {
    const { format, virtualSizeInBytes } = await imageSummary(image);
    return { path: resolve(image), format, virtualSizeInBytes, encrypted: false, facts: {} };
  } catch (thrown) {
    throw openingFailure(thrown, image, invocation);
  }
}

function imageLines(chain: Chain, size: SizeFormat): string[] {
  const lines: string[] = [];
  for (const [index, link] of chain.entries()) {
    const {
      format,
      virtualSizeInBytes,
      backingFile,
      backingFormat,
      dataFile,
      extentFiles,
      encrypted,
      snapshots = [],
      snapshotsLeftOut = 0,
    } = link;
    const { sizeInBytes, usedInBytes } = hostSizes(link.path);
    const facts: [string, string][] = [
      ['Format', format],
      ['Virtual size', sizeWithBytes(virtualSizeInBytes, size)],
      ['File', `${size(sizeInBytes)}, of which ${size(usedInBytes)} on disk`],
    ];
    if (backingFile !== undefined)
      facts.push([
        'Backing file',
        backingFormat === undefined ? backingFile : `${backingFile} (${backingFormat})`,
      ]);
    if (dataFile !== undefined) facts.push(['Data file', dataFile]);
    if (extentFiles !== undefined) facts.push(['Extents', namesInShort(extentFiles)]);
    if (encrypted) facts.push(['Encrypted', 'yes']);
    for (const [name, value] of Object.entries(link.facts)) {
      // What is not so is not worth a line.
      if (value !== false) facts.push([factName(name), value === true ? 'yes' : String(value)]);
    }
    if (index > 0) lines.push('');
    lines.push(index === 0 ? visible(link.path) : `Backed by ${visible(link.path)}`);
    lines.push(...factLines(facts, '  '));
    if (snapshots.length > 0) {
      const rows = tableOf(
        [
          { title: 'SNAPSHOT', cell: ({ id }) => id },
          { title: 'NAME', cell: ({ name }) => name },
          { title: 'TAKEN', cell: ({ createdAt }) => timeText(createdAt) },
          { title: 'SIZE', right: true, cell: (each) => size(each.virtualSizeInBytes) },
          { title: 'VM STATE', right: true, cell: (each) => size(each.vmStateSizeInBytes) },
        ],
        snapshots,
      );
      for (const line of rows) lines.push(`  ${line}`);
    }
    if (snapshotsLeftOut > 0) lines.push(`  … and ${snapshotsLeftOut} snapshots more`);
  }
  return lines;
}

/** All names, or of many the first and the last. */
function namesInShort(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.length} files: ${names[0]} … ${names.at(-1)}`;
}

/** `512M (536870912 bytes)`, or the bytes alone. */
function sizeWithBytes(bytes: number, size: SizeFormat): string {
  const text = size(bytes);
  return text === String(bytes) ? `${bytes} bytes` : `${text} (${bytes} bytes)`;
}

/** `cluster-size` → `Cluster size`. */
const factName = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');

const contentText = ({ content, label }: { content: string | null; label: string | null }): string =>
  label === null ? (content ?? '') : `${content} '${label}'`;

function driveLines(drive: DriveFacts, isUnreadable: boolean, size: SizeFormat): string[] {
  const none = drive.content === null ? 'no partition table' : 'no partitions';
  const table = isUnreadable ? 'cannot be read' : (drive.table ?? none);
  const content = drive.content === null ? '' : `, ${contentText(drive)}`;
  const lines = [visible(`${drive.device}: ${size(drive.sizeInBytes)}, ${table}${content}`)];
  if (drive.partitions.length === 0) return lines;
  const columns: ColumnOf<PartitionFacts>[] = [
    { title: 'PARTITION', cell: ({ device }) => device },
    { title: 'START', right: true, cell: ({ startInBytes }) => size(startInBytes) },
    { title: 'SIZE', right: true, cell: ({ sizeInBytes }) => size(sizeInBytes) },
    {
      title: 'TYPE',
      cell: ({ purpose, bootable }) => (bootable && drive.table !== 'gpt' ? `${purpose}, boot` : purpose),
    },
    { title: 'NAME', optional: true, cell: ({ name }) => name ?? '' },
    { title: 'CONTENT', optional: true, cell: contentText },
  ];
  return [...lines, ...tableOf(columns, drive.partitions).map((line) => `  ${line}`)];
}

function diskLines({ drives, volumes, unreadable }: DiskFacts, size: SizeFormat): string[] {
  const unread = new Set(unreadable.filter(({ type }) => type === null).map(({ device }) => device));
  const lines = drives.flatMap((drive) => ['', ...driveLines(drive, unread.has(drive.device), size)]);
  if (volumes.length > 0) {
    lines.push('', 'Logical volumes');
    const rows = tableOf(
      [
        { title: 'VOLUME', cell: ({ device }) => device },
        { title: 'SIZE', right: true, cell: ({ sizeInBytes }) => size(sizeInBytes) },
        { title: 'CONTENT', optional: true, cell: contentText },
      ],
      volumes,
    );
    lines.push(...rows.map((line) => `  ${line}`));
  }
  return lines;
}

/** An image of a chain as JSON: null for facts that the format lacks. */
function linkJson({
  facts,
  encrypted,
  backingFile,
  backingFormat,
  dataFile,
  extentFiles,
  identity: _,
  isPacked: __,
  snapshots,
  snapshotsLeftOut,
  ...link
}: Link) {
  return {
    ...link,
    encrypted: encrypted ?? false,
    backingFile: backingFile ?? null,
    backingFormat: backingFormat ?? null,
    dataFile: dataFile ?? null,
    ...(extentFiles === undefined ? {} : { extentFiles }),
    snapshots: snapshots ?? [],
    ...(snapshotsLeftOut === undefined ? {} : { snapshotsLeftOut }),
    ...hostSizes(link.path),
    facts,
  };
}

export const info: Command = {
  options: { ...imageOptions, ...sizeOptions, json: { type: 'flag' } },
  async run(invocation) {
    const { options, out, sizeFormat } = invocation;
    const image = readOneImage(invocation.operands);
    const { chain, problem } = await readChain(invocation, image);
    if (problem !== undefined) {
      // All known facts are printed first. Then the image is opened anyway, so that the failure reads as in every
      // command.
      if (options.flag('json'))
        await invocation.printJson({
          image,
          chain: chain.map(linkJson),
          drives: null,
          volumes: null,
          unreadable: null,
          problem,
        });
      else await out.lines(imageLines(chain, sizeFormat));
    }
    const disks = await withGuest(invocation, image, async (guest: Guest) => await describeDisks(guest));
    // Only the launch unpacks an image.
    const [top, drive] = [chain[0], disks.drives[0]];
    if (top?.isPacked && drive !== undefined) chain[0] = { ...top, virtualSizeInBytes: drive.sizeInBytes };
    if (options.flag('json'))
      await invocation.printJson({ image, chain: chain.map(linkJson), ...disks, problem: null });
    else await out.lines([...imageLines(chain, sizeFormat), ...diskLines(disks, sizeFormat)]);
    failIfDamaged(disks.unreadable);
  },
};
