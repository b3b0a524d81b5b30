/**
 * Text from inside an image, made safe to show. A guest chooses its file names, labels and host names, and a terminal
 * obeys control characters: shown raw, a name could move the cursor, recolour lines or hide itself.
 */

/**
 * C0 and C1 controls and DEL; what turns the direction of text, which makes one name look like another; the separators
 * U+2028 and U+2029; and halves of surrogate pairs, which stand for bytes that are no UTF-8.
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

/** The text on one line with nothing in it that a terminal obeys. Where something had to be escaped, so is `\`. */
export function visible(text: string): string {
  return unsafe.test(text) ? text.replaceAll('\\', '\\\\').replace(unsafeAll, escapeOne) : text;
}

/** A value as JSON in which no character can reach a terminal as a control; the same value to who reads it. */
export function visibleJson(value: unknown, indent?: number): string {
  const replacer = (_key: string, member: unknown): unknown => {
    if (typeof member === 'bigint') return member.toString();
    if (member instanceof Map) return Object.fromEntries(member);
    return member;
  };
  const json = JSON.stringify(value, replacer, indent);
  return json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
