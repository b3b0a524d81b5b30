/** The form of comments: how wide a line is, and how long the header of a file. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Token, tokensOf } from './lexer.js';
import { outside, sources } from './sources.js';

const widestComment = 122;
const longestHeader = 10;

interface File {
  readonly path: string;
  readonly lines: readonly string[];
  readonly tokens: readonly Token[];
}

const scripts: readonly File[] = readdirSync('scripts', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => {
    const text = readFileSync(join('scripts', name), 'utf8');
    return { path: join('scripts', name), lines: text.split('\n'), tokens: tokensOf(text) };
  });
const files: readonly File[] = [...sources, ...outside, ...scripts];

/** The length of the comment that a file begins with, below `#!`. Comments of one line each are one comment together. */
function headerLength({ tokens }: File): number {
  const [first] = tokens;
  if (first?.kind !== 'comment') return 0;
  if (first.text.startsWith('/*')) return first.text.split('\n').length;
  const next = tokens.findIndex(({ kind, line }, i) => kind !== 'comment' || line !== first.line + i);
  return next < 0 ? tokens.length : next;
}

test(`a line with a comment is not wider than ${widestComment} columns`, () => {
  const wide = files.flatMap(({ path, lines, tokens }) =>
    tokens
      .filter(({ kind }) => kind === 'comment')
      .flatMap(({ text, line }) => text.split('\n').map((_, i) => line + i))
      .filter((line) => [...(lines[line - 1] ?? '')].length > widestComment)
      .map((line) => `${path}:${line}`),
  );
  assert.deepEqual(wide, []);
});

test(`the header of a file has at most ${longestHeader} lines`, () => {
  const long = files.filter((file) => headerLength(file) > longestHeader);
  assert.deepEqual(
    long.map((file) => `${file.path}: ${headerLength(file)}`),
    [],
  );
});
