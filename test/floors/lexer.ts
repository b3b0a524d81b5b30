/** TypeScript's tokens, as far as the rules of the house look at them. */

export interface Token {
  readonly kind: 'comment' | 'text' | 'pattern' | 'number' | 'word' | 'mark';
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** How many braces, brackets and parentheses are open before the token. */
  readonly depth: number;
}

/** Words after which a slash begins a pattern. */
const beforePattern = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'await',
  'yield',
  'else',
  'do',
  'void',
  'throw',
]);

const shapes: readonly (readonly [Token['kind'], RegExp])[] = [
  ['comment', /\/\/[^\n]*|\/\*[\s\S]*?\*\//y],
  ['text', /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y],
  ['number', /\d(?:[\w.]|(?<=[eE])[+-])*/y],
  ['word', /[\p{ID_Start}$_#@][\p{ID_Continue}$]*/uy],
  ['mark', /\.\.\.|=>|[^\s]/y],
];
const pattern = /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** A template's text, up to its end or to the next expression. */
const templateText = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;

/** All tokens of a file. A template is one text for each piece of it between the expressions. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  /** The depths at which an expression of a template was opened. */
  const templates: number[] = [];
  let at = 0;
  let line = 1;
  let depth = 0;
  let last: Token | undefined;
  const add = (kind: Token['kind'], text: string): void => {
    const token = { kind, text, line, depth };
    tokens.push(token);
    if (kind !== 'comment') last = token;
    line += text.split('\n').length - 1;
    at += text.length;
  };
  const match = (shape: RegExp, from = at): string | undefined => {
    shape.lastIndex = from;
    return shape.exec(source)?.[0];
  };
  const addTemplate = (opening: string): void => {
    const text = match(templateText, at + opening.length) ?? '';
    add('text', opening + text);
    if (text.endsWith('{')) {
      templates.push(depth);
      depth++;
    }
  };
  const patternMayBegin = (): boolean =>
    last === undefined ||
    (last.kind === 'mark' && !/[)\]}]/.test(last.text)) ||
    (last.kind === 'word' && beforePattern.has(last.text));
  while (at < source.length) {
    const space = match(/\s+/y);
    if (space !== undefined) {
      line += space.split('\n').length - 1;
      at += space.length;
      continue;
    }
    if (source[at] === '`') {
      addTemplate('`');
      continue;
    }
    if (source[at] === '}' && templates.at(-1) === depth - 1) {
      templates.pop();
      depth--;
      addTemplate('}');
      continue;
    }
    const found = source[at] === '/' && patternMayBegin() ? match(pattern) : undefined;
    if (found !== undefined) {
      add('pattern', found);
      continue;
    }
    for (const [kind, shape] of shapes) {
      const text = match(shape);
      if (text === undefined) continue;
      if (kind === 'mark' && /[)\]}]/.test(text)) depth--;
      add(kind, text);
      if (kind === 'mark' && /[([{]/.test(text)) depth++;
      break;
    }
  }
  return tokens;
}
