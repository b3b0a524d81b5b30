import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError } from '../../../src/base/index.js';
import { type ConfigValue, parseConfig } from '../../../src/volume/lvm2/config.js';

/** Sections as plain objects. */
function plain(value: ConfigValue): unknown {
  return value instanceof Map
    ? Object.fromEntries([...value].map(([name, inner]) => [name, plain(inner)]))
    : value;
}

function parse(text: string): unknown {
  return plain(parseConfig(Buffer.from(text, 'latin1')));
}

test('values of each kind', () => {
  assert.deepEqual(parse('a = 1\nb = -1 c=+5 d=1.5\ne = "x y" f=\'q"\\\'g = []\nh=["a",1,]\ni = [ 1 , 2 ]'), {
    a: 1,
    b: -1,
    c: 5,
    d: 1.5,
    e: 'x y',
    f: 'q"\\',
    g: [],
    h: ['a', 1],
    i: [1, 2],
  });
});

test('sections nest, and a name may be a number or have signs in it', () => {
  assert.deepEqual(parse('vg-1+x._ { 007 { a = 1 } b { } }\n"quo ted" { }'), {
    'vg-1+x._': { '007': { a: 1 }, b: {} },
    'quo ted': {},
  });
});

test('a backslash in double quotes makes the next character plain', () => {
  assert.deepEqual(parse('a = "x\\"y\\\\z\\n"'), { a: 'x"y\\zn' });
});

test('comments reach to the end of the line, but not within a string', () => {
  assert.deepEqual(parse('# one { \na = 1 # two }\nb = "#" #last'), { a: 1, b: '#' });
});

test('an empty text and a NUL at the end are fine', () => {
  assert.deepEqual(parse(''), {});
  assert.deepEqual(parse('a = 1\n\0'), { a: 1 });
});

test('text that breaks the grammar is a CorruptError with the position', () => {
  for (const text of [
    '{',
    '}',
    'a',
    'a {',
    'a { b = }',
    'a = ',
    'a = [',
    'a = [1',
    'a = [1 2]',
    'a = [[1]]',
    'a = [,]',
    'a = "x',
    'a = "x\\',
    "a = 'x",
    'a = {',
    '= 1',
    ', = 1',
    'a = 1 }',
    'a b = 1',
    'a"b" = 1',
  ])
    assert.throws(
      () => parse(text),
      (error: unknown) => error instanceof CorruptError && /position=/.test(error.message),
      text,
    );
});

test('nesting has a limit', () => {
  assert.throws(() => parse('a { '.repeat(100_000)), /nested deeper than 16/);
  assert.deepEqual(parse(`${'a { '.repeat(16)}${'} '.repeat(16)}`) instanceof Object, true);
});

test('the number of values has a limit, which is reached quickly', () => {
  const started = Date.now();
  assert.throws(() => parse(`a = [${'1,'.repeat(600_000)}]`), /more than 500000 values/);
  assert.ok(Date.now() - started < 5000);
});

test('a huge number is a number, not a hang', () => {
  assert.deepEqual(parse(`a = ${'9'.repeat(400)}`), { a: Number.POSITIVE_INFINITY });
});
