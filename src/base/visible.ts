/**
 * Makes text from inside an image safe for terminals and logs. A guest chooses its names, labels and contents, and a
 * terminal obeys control characters: a raw name could forge a line of a log, move the cursor or hide itself.
 */

/**
 * C0 and C1 controls and DEL; characters that change the direction of text, which make one name look like another;
 * the separators U+2028 and U+2029; and halves of surrogate pairs, which stand for bytes that are not UTF-8.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;
const unsafeAll = new RegExp(unsafe.source, 'gu');

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeOne(character: string): string {
  const code = character.charCodeAt(0);
  const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  return (
    short[character] ??
    (byte < 0x100 ? `\\x${byte.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`)
  );
}

/** Whether a text contains a terminal control, or something that is no character. */
export const hasControls = (text: string): boolean => unsafe.test(text);

/**
 * The text on one line, with terminal controls escaped: `
 * `, `\x1b`, `\u{202e}`. A backslash stays unchanged.
 */
export function escapeControls(text: string): string {
  return unsafe.test(text) ? text.replace(unsafeAll, escapeOne) : text;
}
