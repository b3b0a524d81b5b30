/** Sizes in bytes, as people read and write them. */

const units = ['K', 'M', 'G', 'T', 'P', 'E'];

/** `1.5G`, in units of 1024, rounded up as `ls -h` and `df -h` do, so that a size above zero never shows as zero. */
export function humanSize(bytes: number): string {
  if (bytes < 1024) return String(bytes);
  let value = bytes;
  let unit = -1;
  // Compared after rounding, so that 1023.5K becomes 1.0M.
  while (Math.ceil(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const rounded = value < 10 ? Math.ceil(value * 10) / 10 : Math.ceil(value);
  return `${rounded < 10 ? rounded.toFixed(1) : rounded}${units[unit] ?? ''}`;
}

/** How a table shows sizes: `humanSize`, or plain bytes. */
export type SizeFormat = (bytes: number) => string;

const numberForm = /^(0[xX][0-9a-fA-F]+|[0-9]+)(?:([kKMGTPE])(iB|B)?)?$/;

/** Reads `4096`, `0x1000`, `4K`, `1MiB` (1024-based) or `1MB` (1000-based). Undefined for other texts. */
export function parseSize(word: string): number | undefined {
  const [, digits, letter, unit] = numberForm.exec(word) ?? [];
  if (digits === undefined) return undefined;
  let value = Number(digits);
  if (letter !== undefined)
    value *= (unit === 'B' ? 1000 : 1024) ** (units.indexOf(letter.toUpperCase()) + 1);
  return Number.isSafeInteger(value) ? value : undefined;
}
