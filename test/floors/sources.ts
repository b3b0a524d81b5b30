/** The files of the project, with what each of them imports and exports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Token, tokensOf } from './lexer.js';

export interface Import {
  /** The path of a file of the project, or the name of a package. */
  readonly from: string;
  readonly isPackage: boolean;
  /** Names as the other file exports them; undefined where the whole file is imported. */
  readonly names: readonly string[] | undefined;
  /** The other file's names are this file's exports too. */
  readonly again: boolean;
}

export interface Export {
  readonly name: string;
  /** A class, an interface or a type. */
  readonly isType: boolean;
  /** Its comment says `For tests.` or `Exported for the compiler.`: no file of src/ has to use it. */
  readonly forTests: boolean;
  /** Where the name is from, if this file only passes it on: `*` in place of a name is all of them. */
  readonly origin: { readonly file: string; readonly name: string } | undefined;
}

export interface Source {
  /** Path from the root of the project. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly tokens: readonly Token[];
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
}

export const roomOf = (path: string): string => path.split('/')[1] ?? '';

/** `{ a, type b as c }`, whose brace is at `at`: pairs of the name outside and the name inside. */
function namesInBraces(
  code: readonly Token[],
  at: number,
): { outer: string; inner: string; isType: boolean }[] {
  const names: { outer: string; inner: string; isType: boolean }[] = [];
  for (let i = at + 1; code[i] !== undefined && code[i]?.text !== '}'; i++) {
    const isType = code[i]?.text === 'type' && code[i + 1]?.kind === 'word' && code[i + 1]?.text !== 'as';
    if (isType) i++;
    const outer = code[i]?.text ?? '';
    const renamed = code[i + 1]?.text === 'as' || code[i + 1]?.text === ':';
    names.push({ outer, inner: renamed ? (code[i + 2]?.text ?? '') : outer, isType });
    while (code[i + 1] !== undefined && code[i + 1]?.text !== '}' && code[i]?.text !== ',') i++;
  }
  return names;
}

/** The names that are taken of `import(…)` at `at`; undefined for all. */
function dynamicNames(code: readonly Token[], at: number): readonly string[] | undefined {
  const text = (i: number): string => code[i]?.text ?? '';
  // const { a } = await import('x')
  if (text(at - 1) === 'await' && text(at - 2) === '=' && text(at - 3) === '}') {
    let open = at - 3;
    while (open > 0 && text(open) !== '{') open--;
    return namesInBraces(code, open).map(({ outer }) => outer);
  }
  // (await import('x')).a, import('x').a
  const after = text(at - 1) === 'await' && text(at - 2) === '(' ? at + 5 : at + 4;
  if (text(after) !== '.') return undefined;
  if (text(after + 1) !== 'then') return [text(after + 1)];
  // import('x').then(({ a }) => …
  const brace = after + 3 + (text(after + 3) === 'async' ? 1 : 0) + 1;
  return text(brace) === '{' ? namesInBraces(code, brace).map(({ outer }) => outer) : undefined;
}

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const tokens = tokensOf(text);
  const imports: Import[] = [];
  const exports: Export[] = [];
  const addImport = (specifier: Token | undefined, names: Import['names'], again = false): string => {
    const name = (specifier?.text ?? '').slice(1, -1);
    const isPackage = !name.startsWith('.');
    const from = isPackage ? name : join(dirname(path), name).replace(/\.js$/, '.ts');
    imports.push({ from, isPackage, names, again });
    return from;
  };
  const code: Token[] = [];
  /** The comment right before each token of the code. */
  const comments: (string | undefined)[] = [];
  let comment: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'comment') {
      comment = token.text;
      continue;
    }
    comments.push(comment);
    comment = undefined;
    code.push(token);
  }
  const word = (i: number): string => code[i]?.text ?? '';
  /** Where the text is that follows the next `from`. */
  const afterFrom = (i: number): number => {
    while (code[i] !== undefined && !(word(i) === 'from' && code[i + 1]?.kind === 'text')) i++;
    return i + 1;
  };
  const addExport = (at: number): void => {
    const forTests = /\b(?:For tests|Exported for the compiler)\./.test(comments[at] ?? '');
    const add = (name: string, isType: boolean, origin?: Export['origin']): void => {
      exports.push({ name, isType, forTests, origin });
    };
    let i = at + 1;
    if (word(i) === 'type' && (word(i + 1) === '{' || word(i + 1) === '*')) i++;
    if (word(i) === '*' && word(i + 1) === 'as') {
      addImport(code[afterFrom(i)], undefined);
      add(word(i + 2), false);
    } else if (word(i) === '*') {
      add('*', false, { file: addImport(code[afterFrom(i)], undefined, true), name: '*' });
    } else if (word(i) === '{') {
      const names = namesInBraces(code, i);
      while (word(i) !== '}') i++;
      if (word(i + 1) === 'from') {
        const file = addImport(
          code[i + 2],
          names.map(({ outer }) => outer),
          true,
        );
        for (const { outer, inner } of names) add(inner, false, { file, name: outer });
      } else {
        for (const { inner, isType } of names) add(inner, isType);
      }
    } else {
      while (['declare', 'abstract', 'async'].includes(word(i))) i++;
      const isType = ['class', 'interface', 'type', 'enum'].includes(word(i));
      i += word(i + 1) === '*' ? 2 : 1;
      if (word(i) === '{') for (const { inner } of namesInBraces(code, i)) add(inner, false);
      else add(word(i), isType);
    }
  };
  for (let i = 0; i < code.length; i++) {
    if (word(i) === 'import' && code[i]?.kind === 'word' && word(i - 1) !== '.') {
      if (word(i + 1) === '(') addImport(code[i + 2], dynamicNames(code, i));
      else if (code[i + 1]?.kind === 'text') addImport(code[i + 1], []);
      else if (code[i]?.depth === 0 && word(i + 1) !== '.') {
        const end = afterFrom(i);
        const clause = code.slice(i, end);
        const brace = clause.findIndex(({ text }) => text === '{');
        const whole = clause.some(({ text }) => text === '*');
        addImport(code[end], whole ? undefined : namesInBraces(code, i + brace).map(({ outer }) => outer));
      }
    } else if (word(i) === 'export' && code[i]?.kind === 'word' && code[i]?.depth === 0) {
      addExport(i);
    }
  }
  return { path, text, lines: text.replace(/\n$/, '').split('\n'), tokens, imports, exports };
}

/** The TypeScript files below a folder. */
function readAll(folder: string): readonly Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => read(join(folder, name)));
}

export const sources = readAll('src');
/** What uses the sources without being part of the package. */
export const outside = ['test', 'bench', 'fuzz'].flatMap(readAll);

const byPath = new Map(sources.map((source) => [source.path, source]));
export const findSource = (path: string): Source | undefined => byPath.get(path);

/** A file's exports by name, with those of `export *` one by one. */
export function exportsOf(source: Source): ReadonlyMap<string, Export> {
  const all = new Map<string, Export>();
  for (const entry of source.exports) {
    if (entry.name !== '*' || entry.origin === undefined) {
      all.set(entry.name, entry);
      continue;
    }
    const origin = findSource(entry.origin.file);
    if (origin === undefined) continue;
    for (const [name, { isType, forTests }] of exportsOf(origin)) {
      all.set(name, { name, isType, forTests, origin: { file: origin.path, name } });
    }
  }
  return all;
}

/** The file and name where an export is declared, and whether it is a type. */
export function declarationOf(file: string, name: string): { file: string; name: string; isType: boolean } {
  const source = findSource(file);
  const entry = source === undefined ? undefined : exportsOf(source).get(name);
  if (entry?.origin !== undefined && findSource(entry.origin.file) !== undefined) {
    return declarationOf(entry.origin.file, entry.origin.name);
  }
  return { file, name, isType: entry?.isType ?? false };
}
