/**
 * Code page 437, which nearly all volumes use for short names, and which is the default of Linux's vfat. Bytes below
 * 0x80 are ASCII; the control characters are themselves, rather than the pictures of the IBM PC.
 */

/** Characters 0x80 to 0xFF. */
const upperHalf =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** Upper-case bytes above 0x7F that have a lower-case byte. Γ, Θ and Ω have none in the page. */
const lowerOf: ReadonlyMap<number, number> = new Map([
  [0x80, 0x87],
  [0x8e, 0x84],
  [0x8f, 0x86],
  [0x90, 0x82],
  [0x92, 0x91],
  [0x99, 0x94],
  [0x9a, 0x81],
  [0xa5, 0xa4],
  [0xe4, 0xe5],
  [0xe8, 0xed],
]);

/** The character of a byte. */
export function decodeByte(byte: number): string {
  return byte < 0x80 ? String.fromCharCode(byte) : upperHalf.charAt(byte - 0x80);
}

/** The lower-case byte of a byte; the byte itself if there is none. */
export function toLower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : (lowerOf.get(byte) ?? byte);
}

/** The byte of a character; undefined for one that the page lacks. */
export function encodeCharacter(character: string): number | undefined {
  const code = character.charCodeAt(0);
  if (code < 0x80) return code;
  const at = upperHalf.indexOf(character);
  return at < 0 ? undefined : 0x80 + at;
}

/** The upper-case byte of a byte; the byte itself if there is none. */
export function toUpper(byte: number): number {
  if (byte < 0x80) return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
  for (const [upper, lower] of lowerOf) if (lower === byte) return upper;
  return byte;
}
