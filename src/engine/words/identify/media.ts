/** Pictures, sounds, fonts and captures of networks in the words of the program file, by their own formats' headers. */
import type { Subject } from './source.js';

const wavFormats: ReadonlyMap<number, string> = new Map([
  [1, 'Microsoft PCM'],
  [2, 'Microsoft ADPCM'],
  [3, 'IEEE Float'],
  [6, 'ITU G.711 A-law'],
  [7, 'ITU G.711 mu-law'],
  [17, 'IMA ADPCM'],
  [80, 'MPEG'],
  [85, 'MPEG Layer 3'],
]);

const channelsText = (count: number): string =>
  count === 1 ? 'mono' : count === 2 ? 'stereo' : `${count} channels`;

/** The chunk `fmt ` of RIFF WAVE; in broadcast files others come before it. */
function wave(subject: Subject): string {
  let at = 12;
  while (!subject.has(at, 'fmt ') && at < 65536) {
    const length = subject.u32(at + 4, true);
    if (length === 0) return 'WAVE audio';
    at += 8 + length + (length & 1);
  }
  const format = subject.u16(at + 8, true);
  const name = wavFormats.get(format);
  const bits = format === 1 ? `, ${subject.u16(at + 22, true)} bit` : '';
  return `WAVE audio${name === undefined ? '' : `, ${name}`}${bits}, ${channelsText(subject.u16(at + 10, true))} ${subject.u32(at + 12, true)} Hz`;
}

/** RIFF: Microsoft, "Multimedia Programming Interface and Data Specifications". */
export function riff(subject: Subject): string {
  const kind = subject.text(8, 4);
  const words =
    kind === 'WAVE' ? wave(subject) : kind === 'AVI ' ? 'AVI' : kind === 'WEBP' ? 'Web/P image' : undefined;
  return `RIFF (little-endian) data${words === undefined ? '' : `, ${words}`}`;
}

const iffKinds: Readonly<Record<string, string>> = {
  AIFF: 'AIFF audio',
  AIFC: 'AIFF-C compressed audio',
  '8SVX': '8SVX 8-bit sampled sound voice',
};

/** EA IFF 85. */
export function iff(subject: Subject): string {
  const words = iffKinds[subject.text(8, 4)];
  return `IFF data${words === undefined ? '' : `, ${words}`}`;
}

/** `.snd` of Sun and NeXT. */
const auEncodings: Readonly<Record<number, string>> = {
  1: '8-bit ISDN mu-law',
  2: '8-bit linear PCM [REF-PCM]',
  3: '16-bit linear PCM',
  4: '24-bit linear PCM',
  5: '32-bit linear PCM',
  6: '32-bit IEEE floating point',
  7: '64-bit IEEE floating point',
  27: '8-bit ISDN A-law',
};

export function sunAudio(subject: Subject): string {
  const encoding = auEncodings[subject.u32(12, false)];
  return `Sun/NeXT audio data:${encoding === undefined ? '' : ` ${encoding},`} ${channelsText(subject.u32(20, false))}, ${subject.u32(16, false)} Hz`;
}

export function midi(subject: Subject): string {
  const tracks = subject.u16(10, false);
  return `Standard MIDI data (format ${subject.u16(8, false)}) using ${tracks} track${tracks === 1 ? '' : 's'} at 1/${subject.u16(12, false)}`;
}

const tiffCompressions: Readonly<Record<number, string>> = {
  1: 'none',
  2: 'huffman',
  3: 'bi-level group 3',
  4: 'bi-level group 4',
  5: 'LZW',
  6: 'JPEG (old)',
  7: 'JPEG',
  8: 'deflate',
  9: 'JBIG, ITU-T T.85',
  32766: 'NeXT RLE 2-bit',
  32773: 'PackBits (Macintosh RLE)',
  32946: 'Deflate (PKZIP)',
  34712: 'JPEG2000',
};
const tiffPhotometrics: Readonly<Record<number, string>> = {
  0: 'WhiteIsZero',
  1: 'BlackIsZero',
  2: 'RGB',
  3: 'RGB Palette',
  4: 'Transparency Mask',
  5: 'CMYK',
  6: 'YCbCr',
  8: 'CIELab',
};

const tiffOrientations: Readonly<Record<number, string>> = {
  1: 'upper-left',
  3: 'lower-right',
  6: 'upper-right',
  8: 'lower-left',
  9: 'undefined',
};

/** More entries than a directory of a picture has. */
const tiffEntryLimit = 64;

/** TIFF 6.0: the entries of the first directory that the program has words for, in its order. */
export function tiff(subject: Subject): string {
  const little = subject.has(0, 'II');
  const at = subject.u32(4, little);
  const count = subject.u16(at, little);
  const values = new Map<number, number>();
  for (let i = 0; i < Math.min(count, tiffEntryLimit); i++) {
    const entry = at + 2 + 12 * i;
    const isShort = subject.u16(entry + 2, little) === 3;
    values.set(
      subject.u16(entry, little),
      isShort ? subject.u16(entry + 8, little) : subject.u32(entry + 8, little),
    );
  }
  const fact = (tag: number, name: string, words: (value: number) => string | number): string[] => {
    const value = values.get(tag);
    return value === undefined ? [] : [`${name}=${words(value)}`];
  };
  const facts = [
    ...fact(257, 'height', (value) => value),
    ...fact(258, 'bps', (value) => value),
    ...fact(259, 'compression', (value) => tiffCompressions[value] ?? `(unknown ${value})`),
    ...fact(
      262,
      'PhotometricInterpretation',
      (value) => tiffPhotometrics[value] ?? `(unknown=0x${value.toString(16)})`,
    ),
    ...fact(274, 'orientation', (value) => tiffOrientations[value] ?? `[*${value}*]`),
    ...fact(256, 'width', (value) => value),
  ];
  return [`TIFF image data, ${little ? 'little' : 'big'}-endian, direntries=${count}`, ...facts].join(', ');
}

const netpbmKinds: Readonly<Record<string, string>> = {
  1: 'bitmap, ASCII text',
  2: 'greymap, ASCII text',
  3: 'pixmap, ASCII text',
  4: 'rawbits, bitmap',
  5: 'rawbits, greymap',
  6: 'rawbits, pixmap',
};

/** pbm(5), pgm(5), ppm(5): the size may follow comments. */
export function netpbm(subject: Subject): string | undefined {
  const match = /^P([1-6])\s(\s*#[^\n]*\n)*\s*(\d{1,9})\s+(\d{1,9})\s/.exec(subject.text(0, 512));
  if (match === null) return undefined;
  const [, kind = '', comment = '', width, height] = match;
  const words = netpbmKinds[kind] ?? '';
  // For a bitmap as text the program prints the comment as well.
  const shown =
    kind === '1' && comment !== '' ? words.replace('bitmap', `bitmap ${comment.trim().slice(1)}`) : words;
  return `Netpbm image data, size = ${width} x ${height}, ${shown}`;
}

const captureMarks: readonly (readonly [mark: readonly number[], little: boolean, unit: string])[] = [
  [[0xd4, 0xc3, 0xb2, 0xa1], true, 'microsecond'],
  [[0xa1, 0xb2, 0xc3, 0xd4], false, 'microseconds'],
  [[0x4d, 0x3c, 0xb2, 0xa1], true, 'nanosecond'],
  [[0xa1, 0xb2, 0x3c, 0x4d], false, 'nanosecond'],
];
const linkLayers: Readonly<Record<number, string>> = {
  0: 'No link-layer encapsulation',
  1: 'Ethernet',
  101: 'Raw IP',
  105: '802.11',
  113: 'Linux cooked v1',
};

/** pcap-savefile(5). */
export function capture(subject: Subject): string | undefined {
  const found = captureMarks.find(([mark]) => subject.has(0, mark));
  if (found === undefined) return undefined;
  const [, little, unit] = found;
  const link = subject.u32(20, little) & 0x0fffffff;
  const version = `${subject.u16(4, little)}.${subject.u16(6, little)}`;
  return `pcap capture file, ${unit} ts (${little ? 'little' : 'big'}-endian) - version ${version} (${linkLayers[link] ?? `linktype#${link}`}, capture length ${subject.u32(16, little)})`;
}

/** pcapng, section header block. */
export function captureNext(subject: Subject): string | undefined {
  if (!subject.has(0, [0x0a, 0x0d, 0x0d, 0x0a])) return undefined;
  const little = subject.has(8, [0x4d, 0x3c, 0x2b, 0x1a]);
  if (!little && !subject.has(8, [0x1a, 0x2b, 0x3c, 0x4d])) return undefined;
  return `pcapng capture file - version ${subject.u16(12, little)}.${subject.u16(14, little)}`;
}

const fontPlatforms: Readonly<Record<number, string>> = { 0: 'Unicode', 1: 'Macintosh', 3: 'Microsoft' };

/** OpenType, "Organization of an OpenType Font": the table directory, and the table of names where it is there. */
function fontTables(subject: Subject): string {
  const count = subject.u16(4, false);
  const first = subject.text(12, 4);
  const signed = first === 'DSIG' ? 'digitally signed, ' : '';
  let names = '';
  for (let i = 0; i < Math.min(count, 64); i++) {
    const entry = 12 + 16 * i;
    if (!subject.has(entry, 'name')) continue;
    const at = subject.u32(entry + 8, false);
    const [high = 0, low = 0, , , platformHigh = 0, platform = 0] = subject.at(at + 2, 6);
    names = `, ${high * 256 + low} names, ${fontPlatforms[platformHigh * 256 + platform] ?? ''}`;
  }
  return `${signed}${count} tables, 1st "${first}"${names}`;
}

export const trueType = (subject: Subject): string => `TrueType Font data, ${fontTables(subject)}`;

export function fontCollection(subject: Subject): string {
  const count = subject.u32(8, false);
  return `TrueType font collection data, ${subject.u16(4, false)}.${subject.u16(6, false)}, ${count} fonts, at 0x${subject.u32(12, false).toString(16)}`;
}

export function webFont(subject: Subject): string {
  const flavor = subject.has(4, [0, 1, 0, 0]) ? ', TrueType' : subject.has(4, 'OTTO') ? ', CFF' : '';
  const generation = subject.has(0, 'wOF2') ? ' (Version 2)' : '';
  const version = subject.has(0, 'wOF2') ? 24 : 20;
  return `Web Open Font Format${generation}${flavor}, length ${subject.u32(8, false)}, version ${subject.u16(version, false)}.${subject.u16(version + 2, false)}`;
}
