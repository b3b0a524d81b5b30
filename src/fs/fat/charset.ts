/**
 * How names are shown with the mount options `utf8=0` or `uni_xlate`: byte by byte in one of the kernel's character
 * sets (mount(8), `iocharset`). By default they are UTF-8.
 */
import { decodeText, encodeText, UnsupportedError } from '../../base/index.js';
import { decodeByte } from './codepage437.js';

/** The kernel's names of its character sets. Linux 6.1, fs/nls. */
const kernelNames = new Set(
  (
    'utf8 ascii default cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 ' +
    'cp936 cp949 cp950 cp1250 cp1251 cp1255 euc-jp sjis gb2312 euc-kr big5 tis-620 iso8859-1 iso8859-2 iso8859-3 iso8859-4 ' +
    'iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-13 iso8859-14 iso8859-15 koi8-r koi8-u koi8-ru macceltic ' +
    'maccenteuro maccroatian maccyrillic macgaelic macgreek macicelandic macinuit macroman macromanian macturkish'
  ).split(' '),
);

/** Character sets whose upper half Node knows, with Node's names. */
const decoders: ReadonlyMap<string, string> = new Map([
  ...['iso8859-2', 'iso8859-4', 'iso8859-5', 'iso8859-7', 'iso8859-13', 'iso8859-14', 'iso8859-15'].map(
    (name) => [name, name.replace('iso', 'iso-')] as const,
  ),
  ['cp866', 'ibm866'],
  ['cp1250', 'windows-1250'],
  ['cp1251', 'windows-1251'],
  ['koi8-r', 'koi8-r'],
  ['koi8-u', 'koi8-u'],
]);

export const isKernelCharset = (name: string): boolean => kernelNames.has(name);

/** The bytes of characters above ASCII, by UTF-16 unit. UnsupportedError for an unknown character set. */
function upperHalf(name: string): ReadonlyMap<string, number> {
  const decode = (): ((byte: number) => string) => {
    if (name === 'ascii' || name === 'default') return () => '';
    if (name === 'iso8859-1') return (byte) => String.fromCharCode(byte);
    if (name === 'cp437') return decodeByte;
    const label = decoders.get(name);
    if (label === undefined) throw new UnsupportedError('vfat', [`names in the character set ${name}`]);
    const decoder = new TextDecoder(label);
    return (byte) => decoder.decode(Uint8Array.of(byte));
  };
  const characterOf = decode();
  const bytes = new Map<string, number>();
  for (let byte = 0x80; byte < 0x100; byte++) bytes.set(characterOf(byte), byte);
  return bytes;
}

/**
 * Makes the shown form of a name: a byte for each UTF-16 unit. A unit that the character set lacks becomes `?`, or
 * with `escaped` a colon and four digits. A byte that is not UTF-8 becomes a lone surrogate, as in all names.
 */
export function nameEncoder(charset: string, escaped: boolean): (name: string) => string {
  if (charset === 'utf8') return (name) => name;
  const bytes = upperHalf(charset);
  return (name) => {
    const shown: number[] = [];
    for (let i = 0; i < name.length; i++) {
      const unit = name.charCodeAt(i);
      const byte = unit < 0x80 ? unit : bytes.get(name.charAt(i));
      if (byte !== undefined) shown.push(byte);
      else shown.push(...encodeText(escaped ? `:${unit.toString(16).padStart(4, '0')}` : '?'));
    }
    return decodeText(Uint8Array.from(shown));
  };
}
