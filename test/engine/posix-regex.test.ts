/** POSIX regular expressions: the same lines as grep finds. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { posixRegex } from '../../src/engine/posix-regex.js';
import { needs, toolEnvironment } from '../support/tools.js';

const lines = [
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
const patterns = [
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

for (const extended of [false, true]) {
  for (const insensitive of [false, true]) {
    test(
      `${extended ? 'extended' : 'basic'}${insensitive ? ', in any case' : ''}: as grep in the C locale`,
      needs('grep'),
      () => {
        const differences: string[] = [];
        for (const pattern of patterns) {
          const args = [...(extended ? ['-E'] : []), ...(insensitive ? ['-i'] : []), '-n', '-e', pattern];
          const { status, stdout } = spawnSync('grep', args, {
            input: `${lines.join('\n')}\n`,
            encoding: 'utf8',
            env: { ...toolEnvironment, LC_ALL: 'C' },
          });
          const theirs =
            status === 2
              ? 'refused'
              : stdout
                  .split('\n')
                  .slice(0, -1)
                  .map((line) => Number.parseInt(line, 10) - 1)
                  .join();
          let ours: string;
          try {
            const regex = posixRegex(pattern, { extended, insensitive });
            ours = lines.flatMap((line, index) => (regex.test(line) ? [index] : [])).join();
          } catch (thrown) {
            assert.ok(thrown instanceof GuestfsError && thrown.code === 'EINVAL', String(thrown));
            ours = 'refused';
          }
          if (ours !== theirs) differences.push(`${JSON.stringify(pattern)}: ours ${ours}, grep ${theirs}`);
        }
        assert.deepEqual(differences, []);
      },
    );
  }
}
