/** Mount options as tables: what each kind of value takes, what it refuses, and what is said then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anyText,
  decimal,
  flag,
  literal,
  type MountOptionTable,
  type OptionValue,
  octal,
  oneOf,
  option,
  orAlone,
  someText,
  takeOptions,
  truth,
  type ValueKind,
} from '../../src/fs/mount-options.js';

const kinds: readonly [
  name: string,
  kind: ValueKind<unknown>,
  taken: readonly [OptionValue, unknown][],
  refused: readonly OptionValue[],
][] = [
  ['flag', flag, [[true, true]], ['', '1']],
  ['some text', someText, [['x', 'x']], [true, '']],
  [
    'any text',
    anyText,
    [
      ['', ''],
      ['x', 'x'],
    ],
    [true],
  ],
  [
    'decimal',
    decimal(20, 2),
    [
      ['2', 2],
      ['020', 20],
    ],
    [true, '', '1', '21', '-2', '0x2', '2 ', '2.5', '0000000000002'],
  ],
  [
    'octal',
    octal(0o777),
    [
      ['0', 0],
      ['0777', 0o777],
      ['22', 0o22],
    ],
    [true, '', '8', '1000', '-1'],
  ],
  [
    'literal',
    literal(0x7fffffff),
    [
      ['0', 0],
      ['010', 8],
      ['0x1F', 31],
      ['2147483647', 0x7fffffff],
    ],
    [true, '', '08', '2147483648', '0x80000000', '1e3', '-1'],
  ],
  ['one of', oneOf('a', 'b'), [['b', 'b']], [true, 'c', '', 'A']],
  [
    'truth',
    truth,
    [
      [true, true],
      ['yes', true],
      ['0', false],
      ['false', false],
    ],
    ['', 'on', '2'],
  ],
  [
    'or alone',
    orAlone(decimal(1)),
    [
      [true, true],
      ['0', 0],
    ],
    ['2', ''],
  ],
];

for (const [name, kind, taken, refused] of kinds)
  test(`${name}: what is taken, and what is not`, () => {
    for (const [value, expected] of taken) assert.equal(kind(value), expected, String(value));
    for (const value of refused) assert.equal(kind(value), undefined, String(value));
  });

interface Draft {
  owner: number;
  order: string[];
}

const table: MountOptionTable<Draft> = {
  uid: option(decimal(9), (draft, uid) => (draft.owner = uid)),
  a: option(flag, (draft) => draft.order.push('a')),
  b: option(flag, (draft) => draft.order.push('b')),
  checked: option(flag),
};
const take = (given: Readonly<Record<string, OptionValue>>): Draft =>
  takeOptions('testfs', table, given, { owner: 0, order: [] });

test('options are taken in their order, into the draft', () => {
  assert.deepEqual(take({ b: true, uid: '7', a: true, checked: true }), { owner: 7, order: ['b', 'a'] });
});

test('an unknown option and a value of another kind are EINVAL, and named', () => {
  for (const [given, message] of [
    [{ nonsense: true }, 'testfs: unknown mount option: nonsense'],
    [{ toString: true }, 'testfs: unknown mount option: toString'],
    [{ gid: '3' }, 'testfs: unknown mount option: gid=3'],
    [{ uid: '10' }, 'testfs: invalid mount option: uid=10'],
    [{ uid: true }, 'testfs: invalid mount option: uid'],
    [{ checked: '1' }, 'testfs: invalid mount option: checked=1'],
  ] as const)
    assert.throws(() => take(given), { code: 'EINVAL', message });
});
