/** Text from inside an image as the command prints it: see `escapeControls` of base/visible.ts. */
import { escapeControls, hasControls } from '../../base/index.js';

/** The text on one line, without characters that control a terminal. If something was escaped, `\` is escaped too. */
export function visible(text: string): string {
  return hasControls(text) ? escapeControls(text.replaceAll('\\', '\\\\')) : text;
}

/** A value as JSON without control characters, so that none reaches a terminal. Its meaning is the same. */
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
