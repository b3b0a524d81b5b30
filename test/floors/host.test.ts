/** What ties the code to Node and to a backend: below the handle it is used in few places, each of them on a list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameAsListed } from './baseline.js';
import type { Token } from './lexer.js';
import { roomOf, type Source, sources } from './sources.js';

/** Rooms that know neither Node nor the host. */
const belowEngine = new Set([
  'base',
  'formats',
  'disk',
  'image',
  'partition',
  'volume',
  'fs',
  'vfs',
  'inspect',
  'api',
]);
const belowHandle = new Set([...belowEngine, 'engine']);
/** Where files of the host may be opened. */
const hostRooms = /^src\/(?:disk\/host|engine|appliance|cli|web)\//;

const engineUsesListed = {
  'src/engine/actions/contents.ts': 'Buffer',
  'src/engine/actions/session.ts': 'process',
  'src/engine/actions/transfer.ts': 'Buffer',
  'src/engine/session/contents.ts': 'Buffer',
  'src/engine/words/identify/elf.ts': 'Buffer',
  'src/engine/words/identify/source.ts': 'Buffer',
  'src/engine/words/identify/text.ts': 'Buffer',
  'src/engine/words/listing.ts': 'Buffer',
};
/** Variables of modules, each with the reason. */
const variablesListed: Readonly<Record<string, string>> = {
  'src/api/groups.ts known': 'a table, made at its first use',
  'src/api/shell.ts index': 'a table, made at its first use',
  'src/base/sums/blake2b.ts schedule': 'a table, made at its first use',
  'src/base/sums/crc.ts ansi': 'a table, made at its first use',
  'src/base/sums/crc.ts castagnoli': 'a table, made at its first use',
  'src/base/sums/crc.ts folding': 'code of WebAssembly, made when it is worth it',
  'src/base/sums/crc.ts ieee': 'a table, made at its first use',
  'src/base/inflate.ts fixed': 'a table, made at its first use',
  'src/base/work.ts ask': 'the budget of the call that a thread is at: one at a time',
  'src/base/codecs/zstd/decode.ts machine': 'code of WebAssembly, made at its first use',
  'src/base/codecs/lznt1.ts expander': 'code of WebAssembly, made at its first use',
  'src/disk/codecs.ts kept': 'a buffer that is used again, as decoded bytes are lent',
  'src/disk/encoded.ts kept': 'the same, for the compressed bytes',
  'src/disk/decoder.ts helpers': 'the pool of decoder threads is one for all sessions',
  'src/disk/decoder.ts pool': 'the pool of decoder threads is one for all sessions',
  'src/disk/mapped.ts spanDepth': 'the bound of one span, which is synchronous',
  'src/disk/mapped.ts spanLookups': 'the bound of one span, which is synchronous',
  'src/disk/platform.ts current': 'what a thread takes from where it runs, handed over once',
  'src/engine/host/copy-data.ts piece': 'a buffer that is used again by the next copy of the thread',
  'src/engine/thread/thread.ts leastSpare': 'the spare threads are those of all handles of the process',
  'src/formats/elf-machines.ts known': 'a table, made at its first use',
  'src/formats/xz/lzma.ts shared': 'code of WebAssembly, made at its first use',
  'src/fs/ext/journal/checksum.ts table': 'a table, made at its first use',
};
const codeOf = ({ tokens }: Source): readonly Token[] => tokens.filter(({ kind }) => kind !== 'comment');

/** `node:…`, `Buffer` and `process`, as far as a file uses them. */
function hostUses(source: Source): readonly string[] {
  const code = codeOf(source);
  const globals = code.filter(
    ({ kind, text }, i) =>
      kind === 'word' &&
      (text === 'Buffer' || text === 'process') &&
      !/^\??\.$/.test(code[i - 1]?.text ?? '') &&
      code[i + 1]?.text !== ':',
  );
  const modules = source.imports.filter(({ isPackage, from }) => isPackage && from.startsWith('node:'));
  return [...new Set([...modules.map(({ from }) => from), ...globals.map(({ text }) => text)])].sort();
}

test('below the engine, Node is used by disk/host/ alone', () => {
  const found = sources
    .filter(({ path }) => belowEngine.has(roomOf(path)) && !path.startsWith('src/disk/host/'))
    .map((source) => [source.path, hostUses(source).join(' ')] as const)
    .filter(([, uses]) => uses !== '');
  sameAsListed('node:, Buffer and process', found, {});
});

test('in the engine, Node is used by thread/ and host/ and by no other file than those listed', () => {
  const found = sources
    .filter(({ path }) => roomOf(path) === 'engine' && !/^src\/engine\/(?:thread|host)\//.test(path))
    .map((source) => [source.path, hostUses(source).join(' ')] as const)
    .filter(([, uses]) => uses !== '');
  sameAsListed('node:, Buffer and process', found, engineUsesListed);
});

test('only disk/host, engine, appliance, cli and web open files of the host', () => {
  const wrong = sources.filter(
    ({ path, imports }) =>
      !hostRooms.test(path) && imports.some(({ from }) => /^(node:)?fs(\/promises)?$/.test(from)),
  );
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test('below the handle, a module has no variable of its own but those listed', () => {
  const found = sources
    .filter(({ path }) => belowHandle.has(roomOf(path)) || roomOf(path) === 'appliance')
    .flatMap((source) => {
      const code = codeOf(source);
      return code.flatMap(({ text, depth }, i) =>
        depth === 0 && (text === 'let' || text === 'var')
          ? [
              [
                `${source.path} ${code[i + 1]?.text}`,
                variablesListed[`${source.path} ${code[i + 1]?.text}`] ?? 'no reason',
              ] as const,
            ]
          : [],
      );
    });
  sameAsListed('variables of modules', found, variablesListed);
});

test('below the handle, no message names a backend', () => {
  const found = sources
    .filter(({ path }) => belowHandle.has(roomOf(path)) && !path.startsWith('src/api/topics/'))
    .map((source) => {
      const named = codeOf(source).filter(
        ({ kind, text }) =>
          kind === 'text' && /\s/.test(text) && /direct backend|\bappliance\b|\bqemu\b/.test(text),
      );
      return [source.path, named.length] as const;
    })
    .filter(([, count]) => count > 0);
  sameAsListed('messages that name a backend', found, {});
});
