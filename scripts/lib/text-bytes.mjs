// Names as the library gives them: bytes that are not UTF-8 survive as lone surrogates (0xNN as U+DCNN).

/** Bytes to text, with each byte that is not part of valid UTF-8 as a lone surrogate. */
export function text(bytes) {
  const whole = bytes.toString('utf8');
  if (Buffer.from(whole, 'utf8').equals(bytes)) return whole;
  let out = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const length =
      lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    const piece = bytes.subarray(at, at + length);
    const letter = piece.toString('utf8');
    if (length > 0 && piece.length === length && Buffer.from(letter, 'utf8').equals(piece)) {
      out += letter;
      at += length;
    } else {
      out += String.fromCharCode(0xdc00 + lead);
      at += 1;
    }
  }
  return out;
}
