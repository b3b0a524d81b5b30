/** Labels of volumes, as mkfs.fat and fatlabel 4.2 (dosfstools) take them. */
import { GuestfsError } from '../../base/index.js';
import { encodeCharacter } from './codepage437.js';

const labelLength = 11;
const blank = 0x20;

/** A label as it is stored: eleven bytes of the code page, in the case that was given. EINVAL for what it cannot be. */
export function encodeLabel(label: string): Uint8Array {
  const codes = [...label].map(encodeCharacter);
  const isWrong = label.length > labelLength || label.startsWith(' ') || /[*?.,;:/\\|+=<>[\]"]/.test(label);
  if (label === '' || isWrong || codes.some((code) => code === undefined || code < blank))
    throw new GuestfsError('EINVAL', `${label}: no label that FAT can have`);
  const bytes = new Uint8Array(labelLength).fill(blank);
  // safe: none is undefined
  bytes.set(codes as number[]);
  return bytes;
}
