/**
 * What a caller writes rather than a disk: regular expressions and globs. The input is the pattern, then the lines it
 * meets.
 */
import { decodeText, encodeText, namePattern } from '../../src/base/index.js';
import { lineMatcher } from '../../src/engine/words/regex/index.js';
import { expandGlob, MountTable } from '../../src/vfs/index.js';
import { MemoryFileSystem } from '../../test/support/memory-fs.js';
import { part, type Target } from '../target.js';

const lines = 'foo bar\nfoobar\nword-2\n2024-01-31\n\n/usr/lib/x86_64\naaaaaaaaaaaaaaaa\n';

function target(
  name: string,
  patterns: readonly string[],
  use: (pattern: string, lines: string[]) => void,
): Target {
  return {
    name,
    fixtures: patterns.map((_, index) => `${index}`),
    load: (fixture) => Buffer.from(`${patterns[Number(fixture)]}\n${lines}`),
    moves: true,
    run(bytes) {
      const [pattern = '', ...rest] = decodeText(bytes.subarray(0, 65_536)).split('\n');
      use(
        pattern,
        rest.slice(0, 200).map((line) => line.slice(0, 4096)),
      );
    },
  };
}

const expressions = [
  'foo.*bar',
  '^[[:alpha:]_][[:alnum:]_]*$',
  'a\\{2,3\\}b\\|c',
  '(a|b)+c?{1,2}',
  '\\<word-[0-9]\\>',
  '\\(x*\\)y\\1',
  '[]a-z^-]*[^[:space:]]',
  '\\b*foo',
];

const regex = target('engine/regex', expressions, (pattern, rest) => {
  for (const extended of [false, true]) {
    part(() => {
      const matches = lineMatcher(pattern, { extended, insensitive: rest.length % 2 === 0 });
      for (const line of rest) matches(encodeText(line));
    });
  }
});

const tree = (): MountTable => {
  const table = new MountTable();
  const files = { 'etc/passwd': '', 'etc/[x]': '', 'usr/bin/ls': '', 'usr/lib/a.so': '', 'usr/lib/b.so': '' };
  table.mount(new MemoryFileSystem(files), { source: '/dev/sda', mountpoint: '/' });
  return table;
};

const globs = [
  '/etc/*',
  '/{etc,usr/{bin,lib}}/*',
  '/{a,b}{c,d}{e,f}{g,h}{i,j}{k,l}',
  '/usr/lib/[a-b].so',
  '/usr/*/../*/../*',
  '/etc/\\[x]',
  '/[!e]*/b??',
];

const glob = target('vfs/glob', globs, (pattern, rest) => {
  part(() => expandGlob(tree().tree, pattern));
  part(() => {
    const compiled = namePattern(pattern);
    for (const line of rest) compiled.matches(line);
  });
});

export const patternTargets: readonly Target[] = [regex, glob];
