/** Regular expressions: the same lines as GNU grep finds, and none takes for ever. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { beginWork, defaultLimits, encodeText, endWork, GuestfsError } from '../../../src/base/index.js';
import { lineMatcher, type SyntaxOptions } from '../../../src/engine/words/regex/index.js';
import { Random } from '../../support/random.js';
import { needs, toolEnvironment } from '../../support/tools.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-regex-'));
after(() => rmSync(directory, { recursive: true }));
const refused = 'refused';

/** The numbers of the lines that grep finds. */
function theirs(pattern: string, file: string, { extended, fixed, insensitive }: SyntaxOptions): string {
  const kind = extended ? '-E' : fixed ? '-F' : '-G';
  const words = [kind, ...(insensitive ? ['-i'] : []), '-a', '-n', '-f', '-', file];
  const input = Buffer.concat([encodeText(pattern), Buffer.from('\n')]);
  const { status, stdout, stderr } = spawnSync('grep', words, { input, env: toolEnvironment, timeout: 5000 });
  if (status !== 0 && status !== 1) return stderr.length > 0 ? refused : String(status);
  const found = stdout.toString('latin1').split('\n').slice(0, -1);
  return found.map((line) => Number.parseInt(line, 10) - 1).join();
}

function ours(pattern: string, lines: readonly Uint8Array[], options: SyntaxOptions): string {
  try {
    const matches = lineMatcher(pattern, options);
    return lines.flatMap((line, index) => (matches(line) ? [index] : [])).join();
  } catch (thrown) {
    assert.ok(thrown instanceof GuestfsError && thrown.code === 'EINVAL', String(thrown));
    return refused;
  }
}

const several = <T>(chance: Random, low: number, high: number, make: () => T): T[] =>
  Array.from({ length: low + chance.below(high - low + 1) }, make);

const kinds: readonly SyntaxOptions[] = [{}, { extended: true }, { fixed: true }].flatMap((kind) => [
  kind,
  { ...kind, insensitive: true },
]);

/** Compares patterns with grep's answers; gives the differences. */
function compare(
  patterns: readonly string[],
  lines: readonly Uint8Array[],
  options: SyntaxOptions,
): string[] {
  const file = join(directory, 'lines');
  writeFileSync(file, Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
  return patterns.flatMap((pattern) => {
    const [a, b] = [ours(pattern, lines, options), theirs(pattern, file, options)];
    return a === b ? [] : [`${JSON.stringify(options)} ${JSON.stringify(pattern)}: ours ${a}, grep ${b}`];
  });
}

const fixedLines = [
  '',
  'a',
  'b',
  'aa',
  'ab',
  'abc',
  'ABC',
  'a.c',
  'a+',
  'a*',
  'a|b',
  '(ab)',
  '{2}',
  'a{2}',
  '[x]',
  ']',
  '-',
  '^a',
  'a$',
  '\\',
  'x-y',
  'x_y',
  'word boundary',
  'foo.bar',
  '123',
  '12a',
  ' ',
  '\t',
  'é',
  'aXbXc',
  'abab',
  'abba',
  'a/b',
  '~',
];
const fixedPatterns = [
  '',
  'a',
  '^',
  '$',
  '^$',
  '.',
  '.*',
  'a*',
  'a**',
  '*a',
  '^*a',
  '^?a',
  '^+a',
  '(^*a)',
  'a\\+',
  'a+',
  'a\\?b',
  'a?b',
  'ab\\|x',
  'ab|x',
  '\\(a\\)\\1',
  '(a)\\1',
  '(ab)\\1',
  'a\\{2\\}',
  'a{2}',
  'a\\{2,\\}',
  'a{1,2}b',
  'a{,2}b',
  '{2}',
  '\\{2\\}',
  '[abc]',
  '[^abc]',
  '[]x]',
  '[^]x]',
  '[a-c]',
  '[-x]',
  '[x-]',
  '[[:alpha:]]',
  '[[:digit:]]\\+',
  '[[:digit:]]+',
  '[^[:space:]]',
  '[[:upper:][:digit:]]',
  '[[.hyphen.]]',
  '[[.-.]]',
  '[[=a=]]',
  '[a\\]',
  '[\\n]',
  '\\.',
  'a\\.c',
  '\\<b',
  'y\\>',
  '\\bb',
  '\\Bb',
  '\\w\\W\\w',
  '\\s',
  '\\S\\s\\S',
  '\\`a',
  "c\\'",
  'a^',
  '$a',
  'a\\^',
  '\\$',
  '(^a)',
  '(a$)',
  '(^a|b$)',
  '\\(^a\\)',
  '\\(a$\\)',
  '()',
  '(|a)',
  'a||b',
  '(*a)',
  '(+a)',
  '|a',
  'a|',
  '\\/',
  'a/b',
  '~',
  '.é',
  '[é]',
  '+',
  '?',
  '\\+',
  '\\?',
  '(',
  ')',
  '\\(',
  '\\)',
  '[',
  '[a',
  '[[:foo:]]',
  '[b-a]',
  'a{2,1}',
  'a\\{2',
  'a{2',
  'a{x}',
  '\\',
  'a\\',
  '\\2',
  '(a)(b)\\3',
  'a{99999}',
];

const atoms = [
  'a',
  'a',
  'b',
  'A',
  'ab',
  '-',
  '_',
  '.',
  'x',
  ' ',
  ',',
  '1',
  '\\.',
  '\\*',
  '\\\\',
  '\\-',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\u00e9',
  '\udcff',
];
const assertions = ['^', '$', '\\b', '\\B', '\\<', '\\>', '\\`', "\\'"];
const repetitions = [
  '*',
  '+',
  '?',
  '\\+',
  '\\?',
  '{2}',
  '{1,2}',
  '{,2}',
  '{2,}',
  '\\{2\\}',
  '\\{1,2\\}',
  '{0}',
  '{x',
  '{',
];
const inBrackets = [
  'a',
  'b',
  'A',
  '-',
  ']',
  '^',
  '[',
  '\\',
  ':',
  '.',
  '=',
  'a-c',
  'A-C',
  '[:alpha:]',
  '[:space:]',
  '[:punct:]',
  '[:upper:]',
  '[:foo:]',
  '[.a.]',
  '[.-.]',
  '[=b=]',
  '*',
  '\u00e9',
  '\udce0-\udcff',
];

/** A pattern of anything that means something, now and then of characters as they come. */
function randomPattern(chance: Random, depth = 0): string {
  if (depth === 0 && chance.below(6) === 0)
    return several(chance, 0, 8, () => chance.pick([...'aab\\\\[](){}*+?|^$.-1,:'])).join('');
  const part = (): string => {
    switch (chance.below(depth > 2 ? 8 : 11)) {
      case 0:
        return `[${chance.pick(['', '', '^'])}${several(chance, 1, 3, () => chance.pick(inBrackets)).join('')}]`;
      case 1:
        return chance.pick(assertions);
      case 8:
        return `\\(${randomPattern(chance, depth + 1)}\\)`;
      case 9:
        return `(${randomPattern(chance, depth + 1)})`;
      case 10:
        return chance.pick(['|', '\\|']);
      default:
        return chance.pick(atoms);
    }
  };
  const repeated = (): string =>
    part() + (chance.below(3) === 0 ? several(chance, 1, 2, () => chance.pick(repetitions)).join('') : '');
  return several(chance, 1, 4, repeated).join('');
}

/** Patterns that were wrong once, or that POSIX leaves undefined. */
const oddPatterns = [
  'word-2',
  '2024-01-02',
  'x-y\\|-',
  '\\b*foo',
  '\\<+',
  '\\<+w',
  'a{2}+',
  'a{2}{2}',
  'a\\{2\\}*',
  'a{0}b',
  'a{}',
  'a{,}',
  'a{1',
  'a{1,',
  'a{1a}',
  'a{1}{',
  '[[:alpha:]-z]',
  '[a-c-e]',
  '[a-c-]',
  '[--/]',
  '[%--]',
  '[a-[.c.]]',
  '[[.a.]-c]',
  '[[=a=]-c]',
  '[a-[:digit:]]',
  '[:alpha:]',
  '[:a]',
  '[:a:]',
  '[a:]',
  '[:]',
  '[::]',
  '[^:a:]',
  '[[:alpha:',
  '[[:alpha]',
  '[[.',
  '[[.a',
  '[[...]]',
  '[[=]=]]',
  '[[.].]]',
  '[]',
  '[^]',
  '[]-a]',
  '[!-~]',
  '[z-a]',
  '[Z-a]',
  '[a-Z]',
  '[\u00e9]',
  '[^\u00e9]$',
  '^..$',
  '\udce9',
  '[\udce0-\udcff]',
  'a\nb',
  '^$\n-',
  '\\(a\\)\\1\n\\(b\\)\\1',
  '\\(a\\1\\)',
  '(a|b\\1)',
  '(a*)+\\1$',
  '\\(.\\)\\(.\\)\\2\\1',
  '^\\(.*\\)\\1$',
  '(^|x)a\\1',
  '\\(\\)',
  '\\(*a\\)',
  '\\(^*a\\)',
  'a\\|*b',
  'x^',
  'x\\(^a\\)',
  '\\(a\\|^b\\)',
  'a$b',
  '$*',
  '^^a',
  '^*',
  '^\\{1\\}',
  '\\{1\\}',
  '\\(\\{1\\}\\)',
  '\\+a',
  '\\?a',
  '^\\+',
  '^+',
  '((((a))))',
  ')a',
  'a)',
  '(a',
  '()*',
  '(|)',
  '|',
  '(*)',
  'a|*',
  '\\B',
  '\\b',
  '\\>$',
  '^\\>',
  '\\W\\b',
  '\\0',
  '\\d',
  '\\n',
  '\\.\\-',
  '\\}',
  '}',
  '\\]',
  '\\8',
  'a{32768}',
];

for (const options of kinds) {
  const name = `${options.extended ? 'extended' : options.fixed ? 'fixed' : 'basic'}${options.insensitive ? ', in any case' : ''}`;
  test(`${name}: as grep in the C locale`, needs('grep'), () => {
    const lines = [...fixedLines, 'foo', 'WORD-2', '\udce9', 'x\udcff'].map(encodeText);
    assert.deepEqual(compare([...fixedPatterns, ...oddPatterns], lines, options), []);
  });

  test(`${name}: random patterns as in grep`, needs('grep'), () => {
    const seed = 20240;
    const chance = new Random(seed);
    const lines = Array.from({ length: 80 }, () =>
      Uint8Array.from(
        several(chance, 0, 9, () =>
          chance.pick([...'aabbAB-_ .x\\*{}[]()^$|+?1,:\t\r\u00e9\u00ff'].map((each) => each.charCodeAt(0))),
        ),
      ),
    );
    const patterns = Array.from({ length: 100 }, () => randomPattern(chance));
    assert.deepEqual(compare(patterns, lines, options), [], `seed ${seed}`);
  });
}

afterEach(endWork);

/** Runs with a budget of steps; gives the error's code if it ends with one. */
function within(steps: number, run: () => void): string | undefined {
  beginWork({ ...defaultLimits, steps }, () => {});
  try {
    run();
    return undefined;
  } catch (thrown) {
    return (thrown as GuestfsError).code;
  }
}

test('a line is matched in one pass, whatever the pattern', () => {
  const line = Buffer.alloc(4_000_000, 'fooa');
  for (const pattern of ['foo.*bar', '(a|f|o)*[ao]{40}x', '(a*)*(o+)+b', 'f.{200}bar', '\\<a.*\\>x']) {
    const matches = lineMatcher(pattern, { extended: true });
    // Steps are taken for what is met anew only, so they do not grow with the line.
    assert.equal(
      within(200_000, () => assert.equal(matches(line), false)),
      undefined,
      pattern,
    );
  }
});

test('matching hears that the call is to end, with back-references as well', () => {
  for (const pattern of ['foo.*bar', '\\(a*\\)*\\(a*\\)*\\1\\2b']) {
    const matches = lineMatcher(pattern, {});
    beginWork(defaultLimits, () => {
      throw new GuestfsError('ECANCELED', 'ended');
    });
    assert.throws(() => matches(Buffer.alloc(1_000_000, 'a')), { code: 'ECANCELED' });
  }
});

test('steps are counted in the budget of the call', () => {
  const matches = lineMatcher('^\\(a*\\)*\\(a*\\)*\\1\\2b', {});
  const line = Buffer.from(`${'a'.repeat(60)}cb`);
  assert.equal(
    within(20_000, () => matches(line)),
    'EDQUOT',
  );
});

test('a back-reference that takes too many steps is an error that says so', () => {
  const matches = lineMatcher('^\\(a*\\)*\\(a*\\)*\\(a*\\)*\\1\\2\\3b', {});
  assert.throws(() => matches(Buffer.from(`${'a'.repeat(200)}cab`)), {
    code: 'E2BIG',
    message: /back-reference/,
  });
});

test('an expression that would be too big or too deep is refused', () => {
  const tooMuch = [
    '(a{1000}){1000}',
    '((){30000}){30000}',
    '('.repeat(100_000),
    `a${'{2}'.repeat(1000)}`,
    `a${'?+'.repeat(10_000)}`,
  ];
  for (const pattern of tooMuch) {
    assert.throws(() => lineMatcher(pattern, { extended: true }), { code: 'EINVAL' }, pattern.slice(0, 20));
  }
  assert.equal(lineMatcher(`a${'*'.repeat(100_000)}`, {})(Buffer.from('b')), true);
});
