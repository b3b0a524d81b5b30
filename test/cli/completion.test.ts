/** Completion of command lines: what the command answers, and the real shells with its scripts, at a terminal. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { unquoted } from '../../src/cli/command/completion.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { finished, scratch, start } from './command.js';

const home = join(scratch, 'completion');
mkdirSync(join(home, 'bin'), { recursive: true });
symlinkSync(join(process.cwd(), 'dist/cli.cjs'), join(home, 'bin/guestfs'));
for (const name of ['debian.qcow2', 'two words.qcow2'])
  copyFileSync('samples/debian.qcow2', join(home, name));
const image = join(home, 'debian.qcow2');

async function completed(...words: string[]): Promise<string[]> {
  const { out, err, status } = await finished(start(['__complete', 'zsh', ...words]));
  assert.deepEqual({ err, status }, { err: '', status: 0 });
  return out.split('\n').slice(0, -1);
}
const words = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/\t.*/, ''));

describe('the words that may follow', () => {
  test('are commands with what they are for, and files', async () => {
    const lines = await completed('');
    assert.ok(lines.includes('cat\twrite the contents of files to standard output'));
    assert.equal(lines.at(-1), ':files');
    assert.deepEqual(words(await completed('he')), ['hexdump', 'help', ':files']);
  });

  test('are the options of a command with the words of its help, and their values', async () => {
    assert.deepEqual(await completed('ls', '--rec'), ['--recursive\teach directory with all below it']);
    assert.ok(words(await completed('cat', '-')).includes('--mount'));
    assert.deepEqual(await completed('ls', '--color', 'a'), ['auto', 'always']);
    assert.deepEqual(await completed('ls', '--color=n'), ['--color=never']);
    assert.deepEqual(await completed('cat', '--backend', ''), ['auto', 'direct', 'embedded']);
    assert.deepEqual(await completed('ls', '-a', ''), [':files']);
  });

  test('are names of actions where call or help take one', async () => {
    assert.deepEqual(await completed('call', image, 'part-get-par'), ['part-get-parttype']);
    assert.deepEqual(await completed('call', image, 'ls', '/', ':', 'part-get-par'), ['part-get-parttype']);
    assert.deepEqual(await completed('call', '-a', image, 'part-get-par'), ['part-get-parttype']);
    assert.deepEqual(await completed('help', 'part-get-par'), ['part-get-parttype']);
    assert.deepEqual(await completed('completion', ''), ['bash', 'zsh', 'fish']);
  });

  test('are paths inside the guest, directories with a slash', async () => {
    assert.deepEqual(await completed('cat', `${image}:/etc/hostn`), [`${image}:/etc/hostname`]);
    assert.deepEqual(await completed('ls', `${image}:/et`), [`${image}:/etc/`]);
    assert.ok((await completed('ls', `${image}:`)).includes(`${image}:/etc/`));
    assert.deepEqual(await completed('cat', image, '/etc/hostn'), ['/etc/hostname']);
    assert.deepEqual(await completed('cat', '-m', '/dev/sda1', `${image}:/EF`), [`${image}:/EFI/`]);
    assert.deepEqual(await completed('cat', '--backend', 'direct', `${image}:/etc/hostn`), [
      `${image}:/etc/hostname`,
    ]);
  });

  test('are none, without a word, where nothing can be read or the line is wrong', async () => {
    const broken = join(scratch, 'no-guest.img');
    writeFileSync(broken, Buffer.alloc(65536));
    assert.deepEqual(await completed('cat', `${image}:/nowhere/`), []);
    assert.deepEqual(await completed('cat', '--nonsense', `${image}:/etc/`), []);
    const { out, status } = await finished(start(['__complete', 'zsh', 'cat', `${broken}:/`]));
    assert.deepEqual([out, status], ['', 0]);
  });

  test('of bash are read without its quotes', () => {
    const read = ['a\\ b', "'a b", '"a b"', '"a\\"b"', "'a\\b'", 'x"y z"\\:/'].map(unquoted);
    assert.deepEqual(read, ['a b', 'a b', 'a b', 'a"b', 'a\\b', 'xy z:/']);
  });
});

/** A sum in the words of a shell: `index + 2`. */
const sum = (index: number, shell: string): string =>
  shell === 'fish' ? `(math ${index} + 2)` : `$((${index} + 2))`;

/** Types into a shell at a terminal, a piece at a time, and gives all that was shown. */
async function typed(shell: string, args: string, ...pieces: string[]): Promise<string> {
  const child = spawn('script', ['-qec', `${shell} ${args}`, '/dev/null'], {
    cwd: home,
    env: {
      ...toolEnvironment,
      HOME: home,
      TERM: 'dumb',
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_DATA_HOME: join(home, 'data'),
      PATH: `${join(home, 'bin')}:${toolEnvironment.PATH}`,
    },
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const seen = async (text: string) => {
    const end = performance.now() + 20_000;
    while (!shown.includes(text)) {
      assert.ok(performance.now() < end, `${text} did not come:\n${shown}`);
      await delay(20);
    }
  };
  await delay(500);
  child.stdin.write(`${pieces[0]}\r`);
  await seen('READY-1');
  for (const [index, piece] of pieces.slice(1).entries()) {
    child.stdin.write(piece);
    await delay(50);
    // What is shown of this line as it is typed is not yet the number.
    child.stdin.write(`\recho READY-${sum(index, shell)}\r`);
    await seen(`READY-${index + 2}`);
  }
  child.stdin.end('exit\r');
  await ended;
  return shown;
}

const shells = {
  bash: ['--norc --noprofile -i', 'source <(guestfs completion bash); echo READY-$((0 + 1))'],
  zsh: [
    '-f -i',
    'autoload -Uz compinit; compinit -u; source <(guestfs completion zsh); echo READY-$((0 + 1))',
  ],
  fish: ['--no-config -i', 'guestfs completion fish | source; echo READY-(math 0 + 1)'],
} as const;

for (const [shell, [args, prepare]] of Object.entries(shells))
  describe(`in ${shell}`, needs(shell, 'script'), () => {
    test('Tab completes a command, a path behind a colon, and an image whose name has a space', async () => {
      const shown = await typed(
        shell,
        args,
        prepare,
        'guestfs hex\t--help',
        'guestfs cat debian.qcow2:/etc/hostn\t',
        'guestfs cat two\\ words.qcow2:/etc/hostn\t',
        'guestfs cat debian.qcow2 /etc/hostn\t',
        'guestfs stat --backend=emb\tdebian.qcow2:/et\tos-rel\t',
      );
      assert.match(shown, /^Usage: guestfs hexdump/m);
      assert.equal(shown.match(/^dolphin\r?$/gm)?.length, 3, shown);
      assert.match(shown, /File: \/etc\/os-release/);
    });
  });
