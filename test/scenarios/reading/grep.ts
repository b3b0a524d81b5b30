/** Lines that match. */
import { each, onExt4, type Scenario } from '../scenario.js';

const patterns = [
  'abc',
  '^abc$',
  'a.c',
  '\\(a.c\\)',
  '(a.c)',
  'abc|xyz',
  'abc\\|xyz',
  'a\\+',
  'a+',
  '[[:digit:]]\\{3\\}',
  '[[:digit:]]{3}',
  '^',
  '$',
  '',
  '[abc',
  'a\\{1',
  '*',
  '\\<abc\\>',
  '[^a-z0-9]',
  '\\.',
  'x{0,1}z',
  '[]a]b',
  'nothing',
  'ABC',
  '\\w\\{6\\}',
  'b*c',
  '\\(a\\)bc1',
  '.*123$',
];
const actions = ['grep', 'egrep', 'fgrep', 'grepi', 'egrepi', 'fgrepi'] as const;
const packed = ['zgrep', 'zegrep', 'zfgrep', 'zgrepi', 'zegrepi', 'zfgrepi'] as const;

export const grepScenarios: readonly Scenario[] = [
  ...actions.map((action) =>
    onExt4(`${action} finds lines`, ...each(action, ...patterns.map((pattern) => [pattern, '/grep.txt']))),
  ),
  onExt4(
    'grep with options',
    ...each(
      'grep',
      ['ABC', '/grep.txt', { insensitive: true }],
      ['a+', '/grep.txt', { extended: true }],
      ['a.c', '/grep.txt', { fixed: true }],
      ['a.c', '/grep.txt', { fixed: true, extended: true }],
      ['abc', '/arch/text.gz', { compressed: true }],
      ['ABC|x', '/arch/text.gz', { compressed: true, extended: true, insensitive: true }],
    ),
  ),
  onExt4(
    'grep in odd files',
    ...each(
      'grep',
      ['a', '/empty'],
      ['end', '/nofeed'],
      ['two', '/crlf.txt'],
      ['two$', '/crlf.txt'],
      ['caf', '/utf8.txt'],
      ['caf.', '/utf8.txt'],
      ['é', '/utf8.txt'],
      ['^$', '/blanks.txt'],
      ['a', '/missing'],
      ['a', '/dir'],
      ['hello', '/rel'],
      ['99', '/lines'],
      ['a\nx', '/grep.txt'],
    ),
  ),
  onExt4(
    'patterns with hyphens, and operators that repeat nothing',
    ...(['grep', 'egrep', 'fgrep', 'grepi'] as const).flatMap((action) =>
      each(
        action,
        ...[
          'a-z',
          'c-1',
          '[1-3]',
          '-',
          '\\b*abc',
          '\\<+',
          'c{1}+',
          '[a-c-e]',
          '[[:alpha:]-z]',
          '[:alpha:]',
          '\\(a\\).*\\1',
          'a{,}',
        ].map((pattern) => [pattern, '/grep.txt']),
      ),
    ),
    ...each(
      'grep',
      ['^caf..', '/utf8.txt'],
      ['caf.$', '/latin1.txt'],
      ['caf[\u00e9]', '/utf8.txt'],
      ['CAF\u00c9', '/utf8.txt', { insensitive: true }],
    ),
  ),
  onExt4('grep in binary files', ...each('grep', ['def', '/nul.bin'], ['caf', '/latin1.txt'])),
  ...packed.map((action) =>
    onExt4(
      `${action} looks into gzip files`,
      ...each(
        action,
        ...['abc', 'a.c', 'ABC', 'abc|xyz', 'nothing'].map((pattern) => [pattern, '/arch/text.gz']),
        ['abc', '/grep.txt'],
        ['abc', '/missing'],
        ['abc', '/arch/damaged.gz'],
      ),
    ),
  ),
];
