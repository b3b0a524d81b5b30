/**
 * ELF files in the words of the program file: header (System V ABI, "ELF Header"), then facts from sections or
 * segments: linking, interpreter, notes, symbols. Every table is bounded before it is read.
 */

import { viewOf } from '../../../base/index.js';
import { elfMachine } from '../../../formats/index.js';
import type { Subject } from './source.js';

const systems: Readonly<Record<number, string>> = {
  0: 'SYSV',
  1: 'HP-UX',
  2: 'NetBSD',
  3: 'GNU/Linux',
  6: 'Solaris',
  9: 'FreeBSD',
  12: 'OpenBSD',
  97: 'ARM',
  255: 'embedded',
};

const mipsLevels: Readonly<Record<number, string>> = {
  0: 'MIPS-I',
  1: 'MIPS-II',
  2: 'MIPS-III',
  3: 'MIPS-IV',
  4: 'MIPS-V',
  5: 'MIPS32',
  6: 'MIPS64',
  7: 'MIPS32 rel2',
  8: 'MIPS64 rel2',
  9: 'MIPS32 rel6',
  10: 'MIPS64 rel6',
};

const riscvFloats = ['soft-float ABI', 'single-float ABI', 'double-float ABI', 'quad-float ABI'];

/** `e_flags` of programs for the 68000 and its kin. */
const m68kKinds: ReadonlyMap<number, string> = new Map([
  [0, '68020,'],
  [0x01000000, '68000,'],
  [0x00810000, 'CPU32,'],
]);

/** The machine, followed by a comma; for some, `e_flags` add details. */
function machineText(machine: number, flags: number): string {
  switch (machine) {
    case 4:
      return `Motorola m68k, ${m68kKinds.get(flags) ?? ''}`.trimEnd();
    case 8:
      return `MIPS, ${mipsLevels[flags >>> 28] ?? 'unknown'}`;
    case 18:
      return `SPARC32PLUS, ${flags & 0x100 ? 'V8+ Required, ' : ''}total store ordering,`;
    case 21:
      return `64-bit PowerPC or cisco 7500, ${
        (flags & 3) === 2
          ? 'OpenPOWER ELF V2 ABI, '
          : (flags & 3) === 1
            ? 'Power ELF V1 ABI, '
            : 'Unspecified or Power ELF V1 ABI, '
      }`.trimEnd();
    case 40:
      return flags >>> 24 === 0 ? 'ARM,' : `ARM, EABI${flags >>> 24}`;
    case 43:
      return `SPARC V9,${['total store ordering', 'partial store ordering', 'relaxed memory ordering'].map((name, i) => ((flags & 3) === i ? ` ${name},` : '')).join('')}`;
    case 243:
      return `UCB RISC-V,${flags & 1 ? ' RVC,' : ''} ${riscvFloats[(flags >> 1) & 3] ?? ''},`;
    default: {
      const name = elfMachine(machine);
      return name === undefined ? `*unknown arch 0x${machine.toString(16)}*` : `${name},`;
    }
  }
}

interface Layout {
  readonly is64: boolean;
  readonly little: boolean;
  /** A 32 or 64-bit field; a value past 2^53 becomes one that is out of every bound. */
  word(view: DataView, offset32: number, offset64: number): number;
}

/** More segments or sections than any honest file has. */
const tableLimit = 2048;

/** The parts of a table of equal entries; none if it lies outside the file. */
function table(subject: Subject, at: number, entryLength: number, count: number, least: number): DataView[] {
  if (count > tableLimit || entryLength < least || entryLength > 4096) return [];
  const bytes = subject.at(at, entryLength * count);
  if (bytes.length === 0) return [];
  return Array.from({ length: count }, (_, i) =>
    viewOf(bytes.subarray(i * entryLength, (i + 1) * entryLength)),
  );
}

const align4 = (value: number): number => (value + 3) & ~3;

/** The facts in the notes of a section or segment, each with its comma. */
function notes(bytes: Uint8Array, little: boolean): string {
  const view = viewOf(bytes);
  let text = '';
  for (let at = 0; at + 12 <= bytes.length; ) {
    const [nameLength, length, type] = [0, 4, 8].map((offset) => view.getUint32(at + offset, little)) as [
      number,
      number,
      number,
    ]; // safe: three offsets
    const content = at + 12 + align4(nameLength);
    if (nameLength > 64 || length > 4096 || content + length > bytes.length) break;
    const name = Buffer.from(bytes.subarray(at + 12, at + 12 + nameLength))
      .toString('latin1')
      .replace(/\0.*$/, '');
    if (name === 'GNU' && type === 3 && length >= 4 && length <= 20) {
      const kind = length === 20 ? 'sha1' : length === 16 ? 'md5/uuid' : length === 8 ? 'xxHash' : 'unknown';
      text += `, BuildID[${kind}]=${Buffer.from(bytes.subarray(content, content + length)).toString('hex')}`;
    } else if (name === 'GNU' && type === 1 && length >= 16) {
      const system = ['Linux', 'Hurd', 'Solaris', 'kFreeBSD', 'kNetBSD'][view.getUint32(content, little)];
      const version = [4, 8, 12].map((offset) => view.getUint32(content + offset, little)).join('.');
      text += `, for GNU/${system ?? '<unknown>'} ${version}`;
    }
    at = content + align4(length);
  }
  return text;
}

const segmentTypes = { dynamic: 2, interpreter: 3, note: 4 } as const;
const sectionTypes = { symbolTable: 2, progbits: 1, note: 7 } as const;
const dynamicFlags1 = 0x6fff_fffb;
const pieFlag = 0x0800_0000;

/** Whether the dynamic section marks the file as a program (`DF_1_PIE`). */
function saysPie(bytes: Uint8Array, layout: Layout): boolean {
  const view = viewOf(bytes);
  const size = layout.is64 ? 16 : 8;
  for (let at = 0; at + size <= bytes.length; at += size) {
    const entry = new DataView(view.buffer, view.byteOffset + at, size);
    if (layout.word(entry, 0, 0) === dynamicFlags1) return (layout.word(entry, 4, 8) & pieFlag) !== 0;
  }
  return false;
}

const typeNames: Readonly<Record<number, string>> = {
  0: 'no file type,',
  1: 'relocatable,',
  2: 'executable,',
  3: 'shared object,',
  4: 'core file,',
};

/** An ELF file in words; undefined for other files. */
export function describeElf(subject: Subject): string | undefined {
  if (!subject.has(0, [0x7f, 0x45, 0x4c, 0x46]) || subject.head.length < 52) return undefined;
  const is64 = subject.u8(4) === 2;
  const little = subject.u8(5) === 1;
  if ((!is64 && subject.u8(4) !== 1) || (!little && subject.u8(5) !== 2)) return 'ELF invalid class';
  const layout: Layout = {
    is64,
    little,
    word: (view, offset32, offset64) =>
      is64 ? Number(view.getBigUint64(offset64, little)) : view.getUint32(offset32, little),
  };
  const header = viewOf(subject.head);
  const type = subject.u16(16, little);
  const flags = subject.u32(is64 ? 48 : 36, little);
  const tail = is64 ? 52 : 40; // e_ehsize, from where the counts follow
  const segments = table(
    subject,
    layout.word(header, 28, 32),
    subject.u16(tail + 2, little),
    subject.u16(tail + 4, little),
    is64 ? 56 : 32,
  );
  const sections = table(
    subject,
    layout.word(header, 32, 40),
    subject.u16(tail + 6, little),
    subject.u16(tail + 8, little),
    is64 ? 64 : 40,
  );
  const facts =
    subject.whole === undefined ? '' : linking(subject, layout, type, segments, sections.length > 0);
  const fromSections =
    subject.whole === undefined
      ? ''
      : sectionFacts(subject, layout, sections, subject.u16(tail + 10, little));
  const isPie = type === 3 && segments.some((segment) => isPieSegment(subject, layout, segment));
  const kind = isPie ? 'pie executable,' : (typeNames[type] ?? `*unknown type ${type}*,`);
  const machine = machineText(subject.u16(18, little), flags);
  const version = subject.u32(20, little) === 1 ? 'version 1' : 'invalid version';
  const system = systems[subject.u8(7)];
  return `ELF ${is64 ? 64 : 32}-bit ${little ? 'LSB' : 'MSB'} ${kind} ${machine} ${version}${
    system === undefined ? '' : ` (${system})`
  }${facts}${fromSections}`;
}

function isPieSegment(subject: Subject, layout: Layout, segment: DataView): boolean {
  if (segment.getUint32(0, layout.little) !== segmentTypes.dynamic) return false;
  return saysPie(segmentBytes(subject, layout, segment), layout);
}

const segmentLimit = 64 * 1024;

function segmentBytes(subject: Subject, layout: Layout, segment: DataView): Uint8Array {
  return subject.at(layout.word(segment, 4, 8), Math.min(layout.word(segment, 16, 32), segmentLimit));
}

/** How a program is linked; notes only if no section has them. */
function linking(
  subject: Subject,
  layout: Layout,
  type: number,
  segments: readonly DataView[],
  hasSections: boolean,
): string {
  if (type !== 2 && type !== 3) return '';
  let style = 'statically';
  let interpreter = '';
  let noted = '';
  for (const segment of segments) {
    const kind = segment.getUint32(0, layout.little);
    const bytes = segmentBytes(subject, layout, segment);
    if (kind === segmentTypes.dynamic)
      style = type === 3 && isPieSegment(subject, layout, segment) ? 'static-pie' : 'dynamically';
    if (kind === segmentTypes.interpreter)
      interpreter = Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '');
    if (kind === segmentTypes.note && !hasSections) noted += notes(bytes, layout.little);
  }
  if (interpreter !== '') style = 'dynamically';
  return `, ${style} linked${interpreter === '' ? '' : `, interpreter ${interpreter}`}${noted}`;
}

function sectionFacts(
  subject: Subject,
  layout: Layout,
  sections: readonly DataView[],
  namesIndex: number,
): string {
  if (sections.length === 0) return ', no section header';
  const names = sections[namesIndex];
  const nameBytes = names ? sectionBytes(subject, layout, names) : new Uint8Array(0);
  const nameOf = (section: DataView): string => {
    const at = section.getUint32(0, layout.little);
    const end = nameBytes.indexOf(0, at);
    return Buffer.from(nameBytes.subarray(at, end < 0 ? at : end)).toString('latin1');
  };
  let text = '';
  let symbols = false;
  let debug = false;
  for (const section of sections) {
    const type = section.getUint32(4, layout.little);
    if (type === sectionTypes.note) text += notes(sectionBytes(subject, layout, section), layout.little);
    if (type === sectionTypes.symbolTable) symbols = true;
    if (type === sectionTypes.progbits && nameOf(section) === '.debug_info') debug = true;
  }
  return `${text}${debug ? ', with debug_info' : ''}, ${symbols || debug ? 'not stripped' : 'stripped'}`;
}

function sectionBytes(subject: Subject, layout: Layout, section: DataView): Uint8Array {
  return subject.at(layout.word(section, 16, 24), Math.min(layout.word(section, 20, 32), segmentLimit));
}
