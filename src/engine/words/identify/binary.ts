/** Files that are no text, in the words of the program file: a small table of formats on real systems. */
import {
  capture,
  captureNext,
  fontCollection,
  iff,
  midi,
  netpbm,
  riff,
  sunAudio,
  tiff,
  trueType,
  webFont,
} from './media.js';
import type { Subject } from './source.js';

/** A rule: words for a subject, or undefined if it is something else. */
type Rule = (subject: Subject) => string | undefined;

const starting =
  (mark: string | readonly number[], words: string | ((subject: Subject) => string), offset = 0): Rule =>
  (subject) =>
    subject.has(offset, mark) ? (typeof words === 'string' ? words : words(subject)) : undefined;

const pngColors: Readonly<Record<number, string>> = {
  0: ' grayscale',
  2: '/color RGB',
  3: ' colormap',
  4: ' gray+alpha',
  6: '/color RGBA',
};

/** PNG, chunk IHDR. */
function png(subject: Subject): string {
  const size = `${subject.u32(16, false)} x ${subject.u32(20, false)}`;
  const interlace = subject.u8(28) === 0 ? 'non-interlaced' : 'interlaced';
  return `PNG image data, ${size}, ${subject.u8(24)}-bit${pngColors[subject.u8(25)] ?? ''}, ${interlace}`;
}

/** Where a PE header is, if this is one. */
function peHeader(subject: Subject): number | undefined {
  const at = subject.u32(0x3c, true);
  return subject.has(at, 'PE\0\0') ? at : undefined;
}

const peMachines: Readonly<Record<number, string>> = {
  332: 'Intel 80386',
  448: 'ARM',
  452: 'ARMv7 Thumb',
  512: 'Intel Itanium',
  3772: 'EFI byte code',
  34404: 'x86-64',
  43620: 'Aarch64',
};
const peSubsystems: Readonly<Record<number, string>> = {
  1: 'native',
  2: 'GUI',
  3: 'console',
  7: 'POSIX',
  9: 'Windows CE',
  10: 'EFI application',
  11: 'EFI boot service driver',
  12: 'EFI runtime driver',
  13: 'EFI ROM',
};

/** Programs for DOS, Windows and EFI. Microsoft, "PE Format". */
function executable(subject: Subject): string {
  const at = peHeader(subject);
  if (at === undefined) return 'MS-DOS executable';
  const magic = subject.u16(at + 24, true);
  const kind =
    magic === 0x20b ? 'PE32+ executable' : magic === 0x10b ? 'PE32 executable' : 'PE Unknown PE signature';
  const machine = subject.u16(at + 4, true);
  const flags = subject.u16(at + 22, true);
  const subsystem = subject.u16(at + 92, true);
  const name = peSubsystems[subsystem];
  const shown = `${flags & 0x2000 ? ' (DLL)' : ''}${name === undefined ? '' : ` (${name})`}`;
  const sections = subject.u16(at + 6, true);
  const stripped = flags & 0x0200 ? ' (stripped to external PDB)' : '';
  const assembly = subject.u32(at + (magic === 0x20b ? 248 : 232), true) > 0 ? ' Mono/.Net assembly' : '';
  const system = subsystem >= 10 && subsystem <= 13 ? '' : ', for MS Windows';
  return `${kind}${shown} ${peMachines[machine] ?? `unknown processor type 0x${machine.toString(16)}`}${stripped}${assembly}${system}, ${sections} sections`;
}

/** The kernel's own header. Documentation/arch/x86/boot.rst. */
function linuxKernel(subject: Subject): string | undefined {
  if (!subject.has(0x202, 'HdrS')) return undefined;
  const protocol = subject.u16(0x206, true);
  const version = subject.u16(0x20e, true);
  const text = version === 0 ? '' : `, version ${subject.text(version + 0x200, 200)}`;
  const big = subject.u8(0x211) & 1 ? 'bzImage' : 'zImage';
  return `Linux kernel x86 boot executable ${protocol >= 0x200 ? big : 'zImage'}${text}`;
}

function gif(subject: Subject): string {
  return `GIF image data, version ${subject.text(3, 3)}, ${subject.u16(6, true)} x ${subject.u16(8, true)}`;
}

function timezone(subject: Subject): string {
  const version = subject.u8(4) === 0 ? 'old version' : `version ${subject.text(4, 1)}`;
  const count = (offset: number, name: string): string => {
    const value = subject.u32(offset, false);
    return value === 0 ? `no ${name}s` : `${value} ${name}${value === 1 ? '' : 's'}`;
  };
  return `timezone data (fat), ${version}, ${count(20, 'gmt time flag')}, ${count(24, 'std time flag')}, ${count(
    28,
    'leap second',
  )}, ${count(32, 'transition time')}, ${count(36, 'local time type')}, ${count(40, 'abbreviation char')}`;
}

function zip(subject: Subject): string {
  const method = subject.u16(8, true);
  const methods: Readonly<Record<number, string>> = { 0: 'store', 8: 'deflate', 12: 'bzip2', 93: 'zstd' };
  const version = subject.u16(4, true) & 0xff;
  const name = subject.text(30, Math.min(subject.u16(26, true), 80));
  if (/^META-INF\//.test(name)) return 'Java archive data (JAR)';
  return `Zip archive data, at least v${Math.floor(version / 10)}.${version % 10} to extract, compression method=${
    methods[method] ?? method
  }`;
}

function qcow(subject: Subject): string {
  const version = subject.u32(4, false);
  const backingAt = subject.u64(8, false);
  const size = subject.u64(24, false);
  const encrypted = subject.u32(32, false) === 1 ? ', AES-encrypted' : '';
  const backing =
    backingAt > 0n && backingAt < 0x100000n
      ? `, has backing file (path ${subject.text(Number(backingAt), subject.u32(16, false))})`
      : '';
  return `QEMU QCOW Image (v${version})${backing}, ${size} bytes${encrypted}`;
}

const sqliteEncodings: Readonly<Record<number, string>> = {
  1: 'UTF-8',
  2: 'UTF-16 little endian',
  3: 'UTF-16 big endian',
};

function sqlite(subject: Subject): string {
  const u32 = (offset: number): number => subject.u32(offset, false);
  const user = u32(60) === 0 ? '' : `, user version ${u32(60)}`;
  const journal = subject.u8(18) === 2 && subject.u8(19) === 2 ? ', writer version 2, read version 2' : '';
  const application = u32(68) === 0 ? '' : `, application id ${u32(68)}`;
  const free = u32(36) === 0 ? '' : `, 1st free page ${u32(32)}, free pages ${u32(36)}`;
  return `SQLite 3.x database${application}${user}, last written using SQLite version ${u32(96)}${
    journal
  }, file counter ${u32(24)}, database pages ${u32(28)}${free}, cookie 0x${u32(40).toString(16)}, schema ${u32(
    44,
  )}, ${sqliteEncodings[u32(56)] ?? 'unknown encoding'}, version-valid-for ${u32(92)}`;
}

function debianPackage(subject: Subject): string {
  const names: string[] = [];
  // ar: members of a header of 60 bytes and contents, each at an even offset.
  for (let at = 8; names.length < 4 && subject.has(at + 58, '`\n'); ) {
    names.push(subject.text(at, 16).trimEnd().replace(/\/$/, ''));
    const size = Number(subject.text(at + 48, 10).trim());
    if (!Number.isSafeInteger(size) || size < 0) break;
    at += 60 + size + (size & 1);
  }
  const control = names.find((name) => name.startsWith('control.tar'));
  const data = names.find((name) => name.startsWith('data.tar'));
  const compression = (name: string | undefined): string => name?.split('.')[2] ?? 'none';
  const version = subject.text(68, 4).trim();
  return `Debian binary package (format ${version})${
    control === undefined ? '' : `, with control.tar.${compression(control)}`
  }${data === undefined ? '' : `, data compression ${compression(data)}`}`;
}

/** tar's header: recognised by its checksum, because old archives have no magic. POSIX.1-2017 pax. */
function tar(subject: Subject): string | undefined {
  if (subject.head.length < 512) return undefined;
  const stored = Number.parseInt(subject.text(148, 8).trim(), 8);
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0x20 : subject.u8(i);
  if (sum !== stored) return undefined;
  if (subject.has(257, 'ustar  \0')) return 'POSIX tar archive (GNU)';
  return subject.has(257, 'ustar\0') ? 'POSIX tar archive' : 'tar archive';
}

function jpeg(subject: Subject): string {
  if (!subject.has(6, 'JFIF\0')) return 'JPEG image data';
  const units = ['aspect ratio', 'resolution (DPI)', 'resolution (DPCM)'][subject.u8(13)] ?? '';
  const density = `density ${subject.u16(14, false)}x${subject.u16(16, false)}`;
  const standard = `JPEG image data, JFIF standard ${subject.u8(11)}.${String(subject.u8(12)).padStart(2, '0')}, ${units}, ${density}, segment length ${subject.u16(4, false)}`;
  // Frame headers are SOF0 to SOF3 in practice; other segments are skipped by their length.
  for (let at = 2; subject.u8(at) === 0xff; at += 2 + subject.u16(at + 2, false)) {
    const marker = subject.u8(at + 1);
    if (marker < 0xc0 || marker > 0xc3) continue;
    const mode = ['baseline', 'extended sequential', 'progressive', 'lossless'][marker - 0xc0];
    return `${standard}, ${mode}, precision ${subject.u8(at + 4)}, ${subject.u16(at + 7, false)}x${subject.u16(at + 5, false)}, components ${subject.u8(at + 9)}`;
  }
  return standard;
}

/** A text of a catalog as the program prints it: its first line, with other characters than ASCII in octal. */
function printable(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.replace(/[^\x20-\x7e]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** GNU gettext manual, "The Format of GNU MO Files". */
function messageCatalog(subject: Subject, little: boolean): string {
  const u32 = (offset: number): number => subject.u32(offset, little);
  const strings = u32(8);
  const revision = `${subject.u16(little ? 6 : 4, little)}.${subject.u16(little ? 4 : 6, little)}`;
  const translations = u32(16);
  // The header is the translation of the empty text, which comes first.
  const header = subject.text(u32(translations + 4), Math.min(u32(translations), 4096));
  const project = /^Project-Id-Version: (.*)$/m.exec(header)?.[1];
  const first = subject.text(u32(translations + 12), Math.min(u32(translations + 8), 4096));
  return `GNU message catalog (${little ? 'little' : 'big'} endian), revision ${revision}, ${strings} message${
    strings === 1 ? '' : 's'
  }${project === undefined ? '' : `, Project-Id-Version: ${project}`}${strings > 1 ? ` '${printable(first)}'` : ''}`;
}

const rules: readonly Rule[] = [
  tar,
  starting([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], png),
  starting([0xff, 0xd8, 0xff], jpeg),
  starting('GIF8', gif),
  starting(
    'BM',
    (subject) => `PC bitmap, ${subject.u32(18, true)} x ${subject.u32(22, true)} x ${subject.u16(28, true)}`,
  ),
  starting('%PDF-', (subject) => `PDF document, version ${subject.text(5, 3)}`),
  starting('SQLite format 3\0', sqlite),
  starting('QFI\xfb', qcow),
  starting('KDMV', 'VMware4 disk image'),
  starting('vhdxfile', 'Microsoft Disk Image eXtended'),
  starting('conectix', 'Microsoft Disk Image, Virtual Server or Virtual PC'),
  starting([0x7f, 0x10, 0xda, 0xbe], 'VirtualBox Disk Image', 64),
  starting('RIFF', riff),
  starting('FORM', iff),
  starting('.snd', sunAudio),
  starting('MThd', midi),
  starting('II*\0', tiff),
  starting('MM\0*', tiff),
  netpbm,
  capture,
  captureNext,
  starting([0x00, 0x01, 0x00, 0x00], trueType),
  starting('true', trueType),
  starting('OTTO', 'OpenType font data'),
  starting('ttcf', fontCollection),
  starting('wOFF', webFont),
  starting('wOF2', webFont),
  starting('!<arch>\ndebian-binary', debianPackage),
  starting('!<arch>\n', 'current ar archive'),
  starting(
    [0xed, 0xab, 0xee, 0xdb],
    (subject) => `RPM v${subject.u8(4)}.${subject.u8(5)} ${subject.u16(6, false) === 1 ? 'src' : 'bin'}`,
  ),
  starting('070701', 'ASCII cpio archive (SVR4 with no CRC)'),
  starting('070702', 'ASCII cpio archive (SVR4 with CRC)'),
  starting('070707', 'ASCII cpio archive (pre-SVR4 or odc)'),
  starting('PK\x03\x04', zip),
  starting('PK\x05\x06', 'Zip archive data (empty)'),
  starting('Rar!\x1a\x07', 'RAR archive data'),
  starting(
    [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c],
    (subject) => `7-zip archive data, version ${subject.u8(6)}.${subject.u8(7)}`,
  ),
  linuxKernel,
  starting('MZ', executable),
  starting([0xde, 0x12, 0x04, 0x95], (subject) => messageCatalog(subject, true)),
  starting([0x95, 0x04, 0x12, 0xde], (subject) => messageCatalog(subject, false)),
  starting('TZif', timezone),
  starting(
    [0xca, 0xfe, 0xba, 0xbe],
    (subject) => `compiled Java class data, version ${subject.u16(6, false)}.${subject.u16(4, false)}`,
  ),
  starting('Xcur', 'X11 cursor'),
  starting('regf', 'MS Windows registry file, NT/2000 or above'),
  starting('OggS', 'Ogg data'),
  starting('fLaC', 'FLAC audio bitstream data'),
  starting('ID3', (subject) => `Audio file with ID3 version 2.${subject.u8(3)}.${subject.u8(4)}`),
  starting(
    '\0asm',
    (subject) => `WebAssembly (wasm) binary module version 0x${subject.u32(4, true).toString(16)} (MVP)`,
  ),
  starting('LPKSHHRH', 'Journal file'),
  starting('BC\xc0\xde', 'LLVM IR bitcode'),
  starting(
    [0x00, 0x00, 0x01, 0x00],
    (subject) =>
      `MS Windows icon resource - ${subject.u16(4, true)} icon${subject.u16(4, true) === 1 ? '' : 's'}`,
  ),
];

/** The format of bytes by the first of them; undefined if unknown. */
export function describeBinary(subject: Subject): string | undefined {
  for (const rule of rules) {
    const words = rule(subject);
    if (words !== undefined) return words;
  }
  return undefined;
}
