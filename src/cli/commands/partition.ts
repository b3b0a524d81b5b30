/** `guestfs partition`: the partition table of an image, made and changed. */
import type { Device } from '../../api/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { imageOptions, sizeOptions } from '../command/options.js';
import { type DriveFacts, describeDisks, type PartitionFacts } from '../guest/disk-facts.js';
import { type Guest, withGuest } from '../guest/guest.js';
import { readOneImage } from '../guest/image-argument.js';
import { parseSize } from '../terminal/sizes.js';

/** What partitions begin and end at, in bytes; a GPT has the last one of the disk. */
const alignment = 1024 * 1024;
const device: Device = '/dev/sda';

/** Types by the words that people have for them: of a GPT, and of an MBR. */
const types: Readonly<Record<string, readonly [guid: string, id: number]>> = {
  efi: ['C12A7328-F81F-11D2-BA4B-00A0C93EC93B', 0xef],
  linux: ['0FC63DAF-8483-4772-8E79-3D69D8477DE4', 0x83],
  swap: ['0657FD6D-A4AB-43C4-84E5-0933C84B4F4F', 0x82],
  lvm: ['E6D6D379-F507-44C2-A23C-238F2A3DF928', 0x8e],
};

/** A change of a table: gives the words that say what was done. */
type Change = (guest: Guest, drive: DriveFacts) => Promise<string>;

interface Gap {
  readonly start: number;
  readonly end: number;
}

/** What no partition has, in whole units of the alignment. */
function gapsOf({ partitions, sizeInBytes, table }: DriveFacts): Gap[] {
  const gaps: Gap[] = [];
  const last = Math.floor(sizeInBytes / alignment) * alignment - (table === 'gpt' ? alignment : 0);
  let start = alignment;
  const take = (end: number): void => {
    if (end - start >= alignment) gaps.push({ start, end });
  };
  for (const { startInBytes, sizeInBytes: size } of [...partitions].sort(
    (a, b) => a.startInBytes - b.startInBytes,
  )) {
    take(Math.floor(startInBytes / alignment) * alignment);
    start = Math.max(start, Math.ceil((startInBytes + size) / alignment) * alignment);
  }
  take(last);
  return gaps;
}

function readSize(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const size = parseSize(word);
  if (size === undefined || size === 0) throw usageFailure(`'${word}' is no size`, 'write 20G or 512M');
  return Math.ceil(size / alignment) * alignment;
}

function readPartition({ partitions }: DriveFacts, word: string): PartitionFacts {
  const found = partitions.find(({ number }) => String(number) === word);
  if (found !== undefined) return found;
  const numbers = partitions.map(({ number }) => number).join(', ');
  throw new Failure(
    `there is no partition ${word}`,
    exitStatus.notFound,
    partitions.length === 0 ? 'the table is empty' : `there are ${numbers}`,
  );
}

function requireTable({ table }: DriveFacts): string {
  if (table !== null) return table;
  throw new Failure('the disk has no partition table', exitStatus.failure, 'to make one: … init gpt');
}

/** Gives a partition the type and the name that the command line has. */
async function describe(
  { g, controls, invocation: { options } }: Guest,
  table: string,
  number: number,
): Promise<void> {
  const [type, name] = [options.text('type'), options.text('name')];
  if (type !== undefined) {
    const known = types[type.toLowerCase()];
    if (table === 'gpt') await g.partSetGptType(device, number, known?.[0] ?? type, controls);
    else {
      const id = known?.[1] ?? Number(type);
      if (!Number.isInteger(id) || id < 1 || id > 0xff)
        throw usageFailure(`'${type}' is no type of an MBR`, 'write linux, efi, swap, lvm or 0x83');
      await g.partSetMbrId(device, number, id, controls);
    }
  }
  if (name !== undefined) await g.partSetName(device, number, name, controls);
}

const init =
  (kind: string): Change =>
  async ({ g, controls, invocation }, { table, content }) => {
    if ((table !== null || content !== null) && !invocation.options.flag('force'))
      throw new Failure(
        `there is ${table === null ? content : `a table (${table})`} already`,
        exitStatus.failure,
        'give --force to lose what is there',
      );
    await g.partInit(device, kind, controls);
    return `made an empty ${kind} table`;
  };

const add =
  (size: number | undefined): Change =>
  async (guest, drive) => {
    const { g, controls, invocation } = guest;
    const table = requireTable(drive);
    const gaps = gapsOf(drive);
    const largest = gaps.reduce((most, { start, end }) => Math.max(most, end - start), 0);
    const gap = gaps.find(({ start, end }) => end - start >= (size ?? Math.max(1, largest)));
    if (gap === undefined)
      throw new Failure(`there is no room: the largest gap has ${invocation.sizeFormat(largest)}`);
    const sector = drive.sectorSizeInBytes;
    const end = size === undefined ? gap.end : gap.start + size;
    await g.partAdd(device, 'primary', gap.start / sector, end / sector - 1, controls);
    const found = (await g.partList(device, controls)).find(({ partStart }) => partStart === gap.start);
    if (found === undefined) throw new Failure('the new partition is not in the table');
    await describe(guest, table, found.partNum);
    return `added partition ${found.partNum}, ${invocation.sizeFormat(found.partSize)}`;
  };

const remove =
  (word: string): Change =>
  async ({ g, controls }, drive) => {
    const { number } = readPartition(drive, word);
    await g.partDel(device, number, controls);
    return `deleted partition ${number}`;
  };

const resize =
  (word: string, size: number | undefined): Change =>
  async ({ g, controls, invocation }, drive) => {
    const { number, startInBytes, sizeInBytes } = readPartition(drive, word);
    const behind = gapsOf(drive).find(
      ({ start }) => start === Math.ceil((startInBytes + sizeInBytes) / alignment) * alignment,
    );
    const end = size === undefined ? (behind?.end ?? startInBytes + sizeInBytes) : startInBytes + size;
    if (end < startInBytes + sizeInBytes && !invocation.options.flag('shrink'))
      throw usageFailure(
        'the partition would be smaller',
        'give --shrink to lose what lies behind its new end',
      );
    await g.partResize(device, number, end / drive.sectorSizeInBytes - 1, controls);
    const { sizeFormat } = invocation;
    return `partition ${number}: ${sizeFormat(sizeInBytes)} before, ${sizeFormat(end - startInBytes)} now`;
  };

const set =
  (word: string): Change =>
  async (guest, drive) => {
    const { number } = readPartition(drive, word);
    await describe(guest, requireTable(drive), number);
    return `described partition ${number}`;
  };

function readChange({ operands, options }: Invocation): { image: string; change: Change } {
  const [operand, verb, first, second, ...others] = operands;
  const image = readOneImage(operand === undefined ? [] : [operand]);
  const verbs = 'write init, add, delete, resize or set';
  if (verb === undefined) throw usageFailure('what is to be done is missing', verbs);
  if (others.length > 0) throw usageFailure(`what is ${others[0]}?`);
  const need = (what: string): string => {
    if (first === undefined) throw usageFailure(`${what} is missing`);
    return first;
  };
  const isAlone = (word: string | undefined): void => {
    if (word !== undefined) throw usageFailure(`what is ${word}?`);
  };
  if (verb === 'resize') return { image, change: resize(need("the partition's number"), readSize(second)) };
  isAlone(second);
  if (verb === 'add') return { image, change: add(readSize(first)) };
  if (verb === 'delete') return { image, change: remove(need("the partition's number")) };
  if (verb === 'init') {
    const kind = need('the kind of the table');
    if (kind !== 'gpt' && kind !== 'mbr') throw usageFailure(`'${kind}' is no table`, 'write gpt or mbr');
    return { image, change: init(kind) };
  }
  if (verb !== 'set') throw usageFailure(`'${verb}' is nothing to do`, verbs);
  if (options.text('type') === undefined && options.text('name') === undefined)
    throw usageFailure('nothing is to be set', 'give --type or --name');
  return { image, change: set(need("the partition's number")) };
}

/** The first drive, which is the image itself. */
async function driveOf(guest: Guest): Promise<DriveFacts> {
  const [drive] = (await describeDisks(guest)).drives;
  if (drive === undefined) throw new Failure(`${guest.image}: has no disk`);
  return drive;
}

export const partition: Command = {
  options: {
    ...imageOptions,
    ...sizeOptions,
    type: { type: 'text' },
    name: { type: 'text' },
    shrink: { type: 'flag' },
    force: { type: 'flag' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { image, change } = readChange(invocation);
    if (!invocation.options.flag('rw')) throw usageFailure('this changes the image', 'add --rw to change it');
    const { done, drive } = await withGuest(invocation, image, async (guest) => {
      const done = await change(guest, await driveOf(guest));
      const drive = await driveOf(guest);
      // Errors of storing what was written come here.
      await guest.g.shutdown();
      return { done, drive };
    });
    if (invocation.options.flag('json')) await invocation.printJson(drive);
    else if (!invocation.isQuiet) await invocation.out.lines([invocation.out.name(`${image}: ${done}`)]);
  },
};
