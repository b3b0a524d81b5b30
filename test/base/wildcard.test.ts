/** Shell patterns: names match as fnmatch(3) and glob(3) say, by random patterns. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { namePattern } from '../../src/base/index.js';
import { excluder } from '../../src/formats/excludes.js';
import { expandGlob, MountTable } from '../../src/vfs/index.js';
import { MemoryFileSystem } from '../support/memory-fs.js';
import { Random } from '../support/random.js';
import { needs, toolEnvironment } from '../support/tools.js';

/** Asks the C library: `fnmatch` of every pattern and name with flags, and `glob` of patterns in a tree. */
const program = `
import ctypes, json, os, sys, tempfile
c = ctypes.CDLL(None)
ask = json.load(sys.stdin)
encode = lambda text: text.encode('utf-8')
if 'flags' in ask:
    names = [encode(name) for name in ask['names']]
    print(json.dumps([[c.fnmatch(encode(p), n, ask['flags']) == 0 for n in names] for p in ask['patterns']]))
else:
    class Found(ctypes.Structure):
        _fields_ = [('count', ctypes.c_size_t), ('paths', ctypes.POINTER(ctypes.c_char_p)), ('rest', ctypes.c_char * 64)]
    with tempfile.TemporaryDirectory() as top:
        for path in ask['files']:
            os.makedirs(os.path.dirname(top + path), exist_ok=True)
            open(top + path, 'w').close()
        answers = []
        for pattern in ask['patterns']:
            found = Found()
            # GLOB_MARK and GLOB_BRACE
            status = c.glob(encode(top + pattern), 2 | 1024, None, ctypes.byref(found))
            answers.append([found.paths[i].decode()[len(top):] for i in range(found.count)] if status == 0 else [])
        print(json.dumps(answers))
`;
function ask<T>(question: object): T {
  const input = JSON.stringify(question);
  return JSON.parse(
    execFileSync('python3', ['-c', program], {
      input,
      encoding: 'utf8',
      env: toolEnvironment,
      maxBuffer: 1 << 26,
    }),
  ) as T;
}

const several = (chance: Random, low: number, high: number, make: () => string): string =>
  Array.from({ length: low + chance.below(high - low + 1) }, make).join('');

const pieces =
  'a b c A . - x * ? ** *? \\* \\? \\a \\\\ [ ] [a [!a [^b] [a-c] [!a-b] [abc] []a] [!]a] [a-] [-a] [a\\]b] [\\a-c] [[:alpha:]] [[:digit:]x] [[:upper:]-] [[.a.]] [[=b=]] [[.-.]] [c-a] [a-a] [[:foo:]] [--/] [*?] ! ^'.split(
    ' ',
  );
const randomPattern = (chance: Random, extra: readonly string[] = []): string =>
  several(chance, 1, 5, () => chance.pick([...pieces, ...extra]));
const randomName = (chance: Random, extra = ''): string =>
  several(chance, 1, 6, () => chance.pick([...`aabbcA.-x*?[]!^\\${extra}`]));

/** Compares what we say of patterns and names with fnmatch; gives what differs. */
function compare(
  patterns: readonly string[],
  names: readonly string[],
  flags: number,
  ours: (pattern: string) => (name: string) => boolean,
): string[] {
  const theirs = ask<boolean[][]>({ flags, patterns, names });
  return patterns.flatMap((pattern, row) => {
    const matches = ours(pattern);
    return names.flatMap((name, column) =>
      matches(name) === theirs[row]?.[column]
        ? []
        : [`${JSON.stringify(pattern)} and ${JSON.stringify(name)}: ours ${matches(name)}`],
    );
  });
}

const seed = 5;
const period = 4;
const leadingDirectory = 8;
const anyCase = 16;

test('a name matches as fnmatch says', needs('python3'), () => {
  const chance = new Random(seed);
  const patterns = Array.from({ length: 600 }, () => randomPattern(chance));
  const names = Array.from({ length: 150 }, () => randomName(chance));
  assert.deepEqual(
    compare(patterns, names, period, (pattern) => namePattern(pattern).matches),
    [],
  );
  assert.deepEqual(
    compare(patterns, names, 0, (pattern) => namePattern(pattern, { anyDot: true }).matches),
    [],
  );
  const folded = (pattern: string) => namePattern(pattern, { anyDot: true, insensitive: true }).matches;
  // The C library looks at the case of a letter in these all the same.
  const caseless = patterns.filter((pattern) => !/\[:upper:|\[\./.test(pattern));
  assert.deepEqual(compare(caseless, names, anyCase, folded), []);
});

test('a name is excluded as tar excludes it', needs('python3'), () => {
  const chance = new Random(seed);
  const patterns = Array.from({ length: 300 }, () => randomPattern(chance, ['/', '/', '*/']));
  const names = Array.from({ length: 60 }, () =>
    randomName(chance, '//').replace(/^\/+|\/+$|\/(?=\/)/g, ''),
  ).filter((name) => name !== '');
  // tar tries a name from its beginning and from behind every slash.
  const tails = names.map((name) => [
    name,
    ...[...name.matchAll(/\//g)].map(({ index }) => name.slice(index + 1)),
  ]);
  const theirs = ask<boolean[][]>({ flags: leadingDirectory, patterns, names: tails.flat() });
  const differences = patterns.flatMap((pattern, row) => {
    let column = 0;
    return tails.flatMap((each) => {
      const expected = each.map(() => theirs[row]?.[column++]).includes(true);
      const name = each[0] ?? '';
      return excluder([pattern])(name) === expected ? [] : [`${pattern} and ${name}: tar ${expected}`];
    });
  });
  assert.deepEqual(differences, []);
});

test('paths are expanded as by glob', needs('python3'), () => {
  const chance = new Random(seed);
  const part = () => several(chance, 1, 3, () => chance.pick([...'aabA.-x[*']));
  const files = [...new Set(Array.from({ length: 60 }, () => `/${part()}d/${part()}e/${part()}`))].filter(
    (path) => !/\/\.{1,2}(\/|$)/.test(path),
  );
  const braces = ['{a,b}', '{a*,x,}', '{', '}', '{}', ',', '{a,{b,A}*}', '\\{'];
  const component = () => randomPattern(chance, braces);
  const patterns = Array.from(
    { length: 400 },
    () =>
      `/${chance.pick([component(), '*', '*d'])}/${chance.pick([component(), '*', '*e', '.*e'])}${chance.pick(['', '/', `/${component()}`, '/*', '/..', '//*'])}`,
  );
  const table = new MountTable();
  table.mount(new MemoryFileSystem(Object.fromEntries(files.map((path) => [path, '']))), {
    source: '/dev/sda',
    mountpoint: '/',
  });
  // A path is given with single slashes here, where glob repeats those of the pattern.
  const theirs = ask<string[][]>({ files, patterns }).map((paths) =>
    paths.map((path) => path.replace(/\/+/g, '/')),
  );
  const differences = patterns.flatMap((pattern, row) => {
    const ours = expandGlob(table.tree, pattern);
    return JSON.stringify(ours) === JSON.stringify(theirs[row])
      ? []
      : [`${pattern}: ours ${ours.join(' ')}; glob ${theirs[row]?.join(' ')}`];
  });
  assert.ok(theirs.filter(({ length }) => length > 0).length > 100, 'many patterns find something');
  assert.deepEqual(differences, []);
});

test('a pattern of many stars takes little time, in exclusions as well', () => {
  const pattern = `${'*a'.repeat(100)}b`;
  assert.equal(excluder([pattern])(`${'a'.repeat(200)}/${'a'.repeat(200)}`), false);
  assert.equal(namePattern(pattern, { anyDot: true }).matches('a'.repeat(255)), false);
});

test('a pattern of many brackets that never close, or of many members, takes little time', () => {
  const patterns = [
    `/us${'C'.repeat(24_000)}${'['.repeat(4096)}${'C'.repeat(36_000)}`,
    '[[:'.repeat(20_000),
    `${'[[:'.repeat(20_000)}:]`,
    `${'[[=a=][.b.]c-'.repeat(5000)}[`,
    '[a]'.repeat(20_000),
    `*[${'ab'.repeat(30_000)}]x`,
  ];
  const begin = process.cpuUsage();
  for (const pattern of patterns)
    assert.equal(namePattern(pattern, { anyDot: true }).matches('c'.repeat(4096)), false);
  const { user } = process.cpuUsage(begin);
  assert.ok(user < 2_000_000, `${user} µs`);
});

test('patterns of find match whole names as the shell does', () => {
  const cases: [string, string, boolean][] = [
    ['*.conf', 'a.conf', true],
    ['*.conf', 'a.conf.d', false],
    ['*', '.hidden', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[]x]', ']', true],
    ['[x', '[x', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a.b', 'axb', false],
    ['(a|b)+$', '(a|b)+$', true],
    ['new*line', 'new\nline', true],
  ];
  for (const [pattern, name, matches] of cases)
    assert.equal(namePattern(pattern, { anyDot: true }).matches(name), matches, `${pattern} ${name}`);
});
