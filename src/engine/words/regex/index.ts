/**
 * Matches lines with a pattern as GNU grep does in the C locale, in linear time, which JavaScript's regular
 * expressions do not guarantee; with back-references in a bounded number of steps.
 */
import { encodeText } from '../../../base/index.js';
import { Automaton } from './automaton.js';
import { backtrack } from './backtrack.js';
import { compile } from './program.js';
import { combined, type Node, Parser, type SyntaxOptions } from './syntax.js';

/** For tests. */
export type { SyntaxOptions } from './syntax.js';

const lineFeed = 0x0a;

/**
 * Decides whether a line, without its line feed, matches a pattern: each line of the pattern is an expression of its
 * own. EINVAL for a malformed pattern. Matching counts its steps in the call's budget.
 */
export function lineMatcher(pattern: string, options: SyntaxOptions): (line: Uint8Array) => boolean {
  const bytes = encodeText(pattern);
  const trees: Node[] = [];
  let groups = 0;
  for (let start = 0; start <= bytes.length; ) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    const parsed = new Parser(bytes.subarray(start, end), pattern, options, groups).parse();
    trees.push(parsed.tree);
    groups += parsed.groups;
    start = end + 1;
  }
  const program = compile(combined('choice', trees), pattern);
  const automaton = new Automaton(program);
  if (!program.some(({ kind }) => kind === 'reference')) return (line) => automaton.matches(line);
  const isInsensitive = options.insensitive ?? false;
  return (line) => automaton.matches(line) && backtrack(program, line, isInsensitive);
}
