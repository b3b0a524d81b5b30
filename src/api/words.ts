/** The texts of the tables, with the names of actions as their reader writes them. */
import { type ActionName, isActionName } from './actions.js';

/**
 * The help texts name actions as the tables do, in backticks: `part_list`. This puts each in the words of a
 * reader: `part-list` for the shell, `partList` for TypeScript. Names without an underscore are the same to all.
 */
export function textWithNames(text: string, render: (name: ActionName) => string): string {
  return text.replace(/`([A-Za-z0-9]+(?:_[A-Za-z0-9]+)+)`/g, (quoted, name: string) =>
    isActionName(name) ? `\`${render(name)}\`` : quoted,
  );
}

/**
 * Folds text to lines of at most `width` characters; keeps paragraphs and the items of lists apart. Every line
 * begins with `indent`, and those that go on with a line before it with `more` too; in a list with two spaces.
 */
export function foldText(text: string, width: number, indent = '', more = ''): string {
  const folded = text.split('\n').map((line) => {
    const hanging = indent + (line.startsWith('- ') ? '  ' : more);
    const lines: string[] = [];
    let current = '';
    for (const word of line.split(' ')) {
      if (current === '') current = (lines.length === 0 ? indent : hanging) + word;
      else if (current.length + 1 + word.length <= width) current += ` ${word}`;
      else {
        lines.push(current);
        current = hanging + word;
      }
    }
    lines.push(current.trimEnd());
    return lines.join('\n');
  });
  return folded.join('\n');
}
