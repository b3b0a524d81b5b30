/** Folding text into lines for a terminal of 80 columns. */

/** The last column stays free, because the cursor of some terminals would wrap there. */
const width = 79;

/** Folds words into lines of at most `width` columns. */
export function fold(text: string, indent: string, firstIndent = indent): string[] {
  const lines: string[] = [];
  let line = firstIndent;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
