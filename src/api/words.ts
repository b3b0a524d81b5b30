/** The texts of the tables, with the names of actions in the reader's notation. */
import { type ActionName, isActionName } from './actions.js';

/**
 * The help texts name actions as the tables do, in backticks: `part_list`. This replaces each by the reader's
 * notation: `part-list` for the shell, `partList` for TypeScript. Names without an underscore are the same in all.
 */
export function textWithNames(text: string, render: (name: ActionName) => string): string {
  return text.replace(/`([A-Za-z0-9]+(?:_[A-Za-z0-9]+)+)`/g, (quoted, name: string) =>
    isActionName(name) ? `\`${render(name)}\`` : quoted,
  );
}

/**
 * Folds text to lines of at most `width` characters; paragraphs and list items stay separate. Every line begins with
 * `indent`, and continuation lines with `more` too; in a list with two spaces.
 */
export function foldText(text: string, width: number, indent = '', more = ''): string {
  const folded = text.split('\n').map((line) => {
    const hanging = indent + (line.startsWith('- ') ? '  ' : more);
    return foldLine(line, width, indent, hanging).join('\n').trimEnd();
  });
  return folded.join('\n');
}

/**
 * Folds words to lines of at most `width` characters, of which the first begins with `first`, and each other with
 * `rest`.
 */
export function foldLine(text: string, width: number, first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
