/** Folding text into lines for a terminal of 80 columns. */
import { foldLine } from '../../api/index.js';

/** The last column stays free, because the cursor of some terminals would wrap there. */
const width = 79;

/** Folds words into lines of at most `width` columns. */
export function fold(text: string, indent: string, firstIndent = indent): string[] {
  return foldLine(text, width, firstIndent, indent);
}
