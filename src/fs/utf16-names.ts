/** Names in UTF-16, as Linux shows them on FAT and exFAT. */

/** UTF-16 units up to a NUL as text. As in Linux, a surrogate without its partner is dropped. */
export function decodeUtf16Name(units: Uint16Array): string {
  let shown = '';
  for (let i = 0; i < units.length; i++) {
    const unit = units[i] as number; // safe: i < units.length
    if (unit === 0) break;
    if (unit < 0xd800 || unit > 0xdfff) {
      shown += String.fromCharCode(unit);
      continue;
    }
    if (unit >= 0xdc00) continue;
    const second = units[i + 1] ?? 0;
    if (second < 0xdc00 || second > 0xdfff) continue;
    shown += String.fromCharCode(unit, second);
    i++;
  }
  return shown;
}
