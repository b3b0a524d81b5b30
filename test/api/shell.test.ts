/** Words are read as guestfish reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ActionName,
  actionNames,
  actions,
  camelCase,
  checkArguments,
  findAction,
  keyArguments,
  nearestName,
  parseShellArguments,
  shellCalls,
  shellName,
  UsageError,
  usage,
} from '../../src/api/index.js';

const refuses = (name: ActionName, words: string[], message: string): void =>
  assert.throws(
    () => parseShellArguments(name, words),
    (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.equal(error.message, message);
      return true;
    },
  );

test('every action is found by each of its names, and by no name of another', () => {
  for (const name of actionNames) {
    for (const word of [name, shellName(name), camelCase(name), ...(actions[name].aliases ?? [])]) {
      assert.deepEqual(findAction(word), { name }, word);
      assert.deepEqual(findAction(word.toUpperCase()), { name }, word);
    }
  }
  assert.deepEqual(findAction('run'), { name: 'launch' });
  assert.deepEqual(findAction('unmount'), { name: 'umount' });
});

test('a word that is no action leads to the nearest that is', () => {
  assert.deepEqual(findAction('part-lsit'), { name: undefined, nearest: 'part-list' });
  assert.deepEqual(findAction('inspect_oss'), { name: undefined, nearest: 'inspect-os' });
  assert.deepEqual(findAction('mount-optins'), { name: undefined, nearest: 'mount-options' });
  assert.deepEqual(findAction('quux-frobnicate'), { name: undefined, nearest: undefined });
  assert.deepEqual(findAction(''), { name: undefined, nearest: undefined });
  assert.deepEqual(findAction('x'.repeat(1000)), { name: undefined, nearest: undefined });
});

test('the nearest name is by letters inserted, dropped, replaced and swapped', () => {
  assert.equal(nearestName('lable', ['level', 'label']), 'label');
  assert.equal(nearestName('size', ['sizes', 'label']), 'sizes');
  assert.equal(nearestName('abc', ['xyz']), undefined);
  assert.equal(nearestName('abc', []), undefined);
});

test('required arguments come first, optional ones after them by name', () => {
  assert.deepEqual(parseShellArguments('mkfs', ['ext4', '/dev/sda1', 'label:a:b', 'blocksize:4096']), {
    args: ['ext4', '/dev/sda1'],
    options: { label: 'a:b', blocksize: 4096 },
  });
  assert.deepEqual(parseShellArguments('add_drive', ['disk:readonly:x']), {
    args: ['disk:readonly:x'],
    options: {},
  });
  assert.deepEqual(parseShellArguments('lvs', []), { args: [], options: {} });
});

test('missing, spare and misnamed words are refused with the usage', () => {
  refuses('mount', ['/dev/sda1'], 'mount: needs 2 arguments, not 1: mount mountable mountpoint');
  refuses('mount', ['a', 'b', 'c'], 'mount: takes 2 arguments, not 3: mount mountable mountpoint');
  refuses(
    'e2fsck',
    ['/dev/sda', 'corect:true'],
    'e2fsck: no optional argument corect; did you mean correct?',
  );
  refuses(
    'e2fsck',
    ['/dev/sda', 'zzz:true'],
    'e2fsck: no optional argument zzz; it has correct, forceall, forceno',
  );
  refuses('e2fsck', ['/dev/sda', 'correct:1', 'correct:0'], 'e2fsck: correct is given twice');
  refuses(
    'e2fsck',
    ['/dev/sda', '__proto__:1'],
    'e2fsck: no optional argument __proto__; it has correct, forceall, forceno',
  );
  refuses(
    'e2fsck',
    ['/dev/sda', 'correct'],
    "e2fsck: 'correct' is no optional argument; write name:value: e2fsck device [correct:true|false] [forceall:true|false] [forceno:true|false]",
  );
});

test('numbers are decimal, octal and hexadecimal, with the suffixes of sizes', () => {
  const size = (word: string) => parseShellArguments('truncate_size', ['/x', word]).args[1];
  const cases: [string, number][] = [
    ['1234', 1234],
    ['02322', 1234],
    ['0x4d2', 1234],
    ['0X4D2', 1234],
    ['0', 0],
    ['-5', -5],
    ['+5', 5],
    ['1k', 1024],
    ['1K', 1024],
    ['1KiB', 1024],
    ['1KB', 1000],
    ['3M', 3 * 1024 ** 2],
    ['3MB', 3e6],
    ['2G', 2 * 1024 ** 3],
    ['1TiB', 1024 ** 4],
    ['1PB', 1e15],
    ['010K', 8192],
    ['0x10K', 16384],
  ];
  for (const [word, value] of cases) assert.equal(size(word), value, word);
  for (const bad of ['', 'x', '1x', '1.5', '089', '0x', '1 K', '1Ki', '1m', '1KK', '--1', '0b1'])
    assert.throws(() => size(bad), UsageError, bad);
  refuses(
    'truncate_size',
    ['/x', 'ten'],
    "truncate-size: size: 'ten' is no number; write 1234, 02322 (octal), 0x4d2 or 10M",
  );
});

test('numbers out of range are refused before they lose precision', () => {
  assert.equal(parseShellArguments('truncate_size', ['/x', '9007199254740991']).args[1], 2 ** 53 - 1);
  refuses(
    'truncate_size',
    ['/x', '9007199254740993'],
    'truncate-size: size: 9007199254740993 is out of range; it must be from -9007199254740991 to 9007199254740991',
  );
  refuses(
    'chmod',
    ['2G', '/x'],
    'chmod: mode: 2G is out of range; it must be from -2147483648 to 2147483647',
  );
  assert.equal(
    parseShellArguments('part_set_gpt_attributes', ['/dev/sda', '1', '0xffffffffffffffff']).args[2],
    2n ** 64n - 1n,
  );
});

test('truth is written in many ways', () => {
  const truth = (word: string) => parseShellArguments('set_verbose', [word]).args[0];
  for (const word of ['true', 'TRUE', '1', 't', 'yes', 'y', 'on']) assert.equal(truth(word), true, word);
  for (const word of ['false', '0', 'f', 'no', 'N', 'off']) assert.equal(truth(word), false, word);
  refuses('set_verbose', ['maybe'], "set-verbose: verbose: 'maybe' is neither true nor false");
});

test('a list is one word, split at white space outside single quotes', () => {
  const list = (word: string) => parseShellArguments('command', [word]).args[0];
  assert.deepEqual(list('/bin/echo a  b\tc\n'), ['/bin/echo', 'a', 'b', 'c']);
  assert.deepEqual(list("/bin/echo 'foo    bar'"), ['/bin/echo', 'foo    bar']);
  assert.deepEqual(list("/bin/echo \\'foo\\'"), ['/bin/echo', "'foo'"]);
  assert.deepEqual(list("a '' b"), ['a', '', 'b']);
  assert.deepEqual(list("a'b c'd"), ['ab cd']);
  assert.deepEqual(list('a\\b'), ['a\\b']);
  assert.deepEqual(list(''), []);
  refuses('command', ["'a b"], 'command: arguments: a single quote is not closed in the list');
});

test('an empty word is null where null may be', () => {
  assert.deepEqual(parseShellArguments('set_append', ['']).args, [null]);
  assert.deepEqual(parseShellArguments('set_append', ['x']).args, ['x']);
  assert.deepEqual(parseShellArguments('set_identifier', ['']).args, ['']);
});

test('a dash stands for the standard streams where a file is wanted', () => {
  assert.deepEqual(parseShellArguments('upload', ['-', '/x']).args, ['/dev/stdin', '/x']);
  assert.deepEqual(parseShellArguments('download', ['/x', '-']).args, ['/x', '/dev/stdout']);
  assert.deepEqual(parseShellArguments('cat', ['-']).args, ['-']);
});

test('secrets are no words', () => {
  assert.deepEqual(keyArguments('luks_add_key'), ['key', 'newkey']);
  assert.deepEqual(parseShellArguments('luks_add_key', ['/dev/sda', '1'], ['old', 'new']).args, [
    '/dev/sda',
    'old',
    'new',
    1,
  ]);
  refuses('luks_add_key', ['/dev/sda', '1'], 'luks-add-key: needs 2 secrets (key, newkey)');
  assert.equal(
    usage('cryptsetup_open'),
    'cryptsetup-open device mapname [readonly:true|false] [crypttype:..] [cipher:..]',
  );
});

test('usage shows lists, truth values and numbers as they are written', () => {
  assert.equal(usage('vgcreate'), "vgcreate volgroup 'physvols ...'");
  assert.equal(usage('lvm_scan'), 'lvm-scan true|false');
  assert.equal(usage('btrfs_image'), "btrfs-image 'source ...' image [compresslevel:N]");
});

test('what the shell reads is what a call takes, for every action of the shell', () => {
  const sample: Readonly<Record<string, string>> = {
    guid: '01234567-89ab-cdef-0123-456789abcdef',
    int: '7',
    int64: '1G',
    bits64: '5',
    bool: 'true',
    stringList: 'a b',
  };
  for (const name of actionNames) {
    const { args, options = {}, visibility } = actions[name];
    if (visibility === 'noShell' || visibility === 'state') continue;
    const words = args.filter(({ type }) => type !== 'key').map(({ type }) => sample[type] ?? '/word');
    for (const [option, { type }] of Object.entries(options))
      words.push(`${option}:${sample[type] ?? 'word'}`);
    const keys = keyArguments(name).map(() => 'secret');
    const call = parseShellArguments(name, words, keys);
    const checked = checkArguments(name, call.args, call.options);
    assert.equal(checked.args.length, args.length);
    assert.deepEqual(Object.keys(checked.options), Object.keys(options));
  }
});

test('copies take any number of sources, as in guestfish; other actions do not', () => {
  assert.deepEqual(shellCalls('copy_out', ['/a', '/b', '/c', 'dir']), [
    ['/a', 'dir'],
    ['/b', 'dir'],
    ['/c', 'dir'],
  ]);
  assert.deepEqual(shellCalls('copy_in', ['a', '/dir']), [['a', '/dir']]);
  assert.deepEqual(shellCalls('copy_in', ['a']), [['a']]);
  assert.deepEqual(shellCalls('cp', ['/a', '/b', '/c']), [['/a', '/b', '/c']]);
  assert.equal(usage('copy_out'), 'copy-out remotepath [remotepath ...] localdir');
});
