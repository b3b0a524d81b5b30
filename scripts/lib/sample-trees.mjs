// Makes the file trees that hold many files, or much data. The same bytes every time.
//   node sample-trees.mjs many DIRECTORY [DIRECTORIES]   100,000 small files in 1,000 directories, or in so many
//   node sample-trees.mjs big FILE [MIB]                 1 GiB, or so many MiB, of which half compresses well
//   node sample-trees.mjs torn FILE                      350 pieces of 1 KiB with holes of 6 KiB between them
//   node sample-trees.mjs rich DIRECTORY                 few files of many kinds: what a driver of ext has to get right
import { createCipheriv, createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

const [kind, target, amount] = process.argv.slice(2);

/** Bytes that do not compress, the same ones at each run. */
function randomBytes() {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}

function many(root, directories = 1000) {
  const born = 1_700_000_000;
  for (let directory = 0; directory < directories; directory++) {
    const folder = `${root}/${String(Math.floor(directory / 100))}/d${String(directory).padStart(4, '0')}`;
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < 100; file++) {
      const number = directory * 100 + file;
      const line = createHash('md5').update(String(number)).digest('hex');
      const path = `${folder}/${line.slice(0, 4 + (number % 28))}-${String(file)}.txt`;
      writeFileSync(path, `${line}\n`.repeat(number % 23));
      utimesSync(path, born + number, born - number);
    }
  }
}

function big(path, mebibytes = 1024) {
  const random = randomBytes();
  const out = openSync(path, 'wx');
  const piece = 64 * 1024;
  for (let written = 0; written < mebibytes * 1024 ** 2; written += 2 * piece) {
    writeSync(out, random(piece));
    const word = `block ${String(written)} of a file that repeats itself; `;
    writeSync(out, Buffer.alloc(piece, word));
  }
  closeSync(out);
}

/** A file that is all hole but for these pieces. */
function sparse(path, size, pieces) {
  const out = openSync(path, 'wx');
  ftruncateSync(out, size);
  for (const at of pieces) writeSync(out, Buffer.from(`piece at ${String(at)}`), 0, undefined, at);
  closeSync(out);
}

function torn(path) {
  const random = randomBytes();
  const out = openSync(path, 'wx');
  for (let piece = 0; piece < 350; piece++) writeSync(out, random(1024), 0, 1024, piece * 7168);
  closeSync(out);
}

function rich(root) {
  const random = randomBytes();
  const folder = (path) => mkdirSync(`${root}/${path}`, { recursive: true });

  // directories: deep, empty, indexed, with the longest names and the oddest
  folder(`deep/${Array.from({ length: 40 }, (_, level) => `level-${String(level)}`).join('/')}`);
  writeFileSync(`${root}/deep/level-0/level-1/level-2/down.txt`, 'down here\n');
  folder('empty');
  folder('indexed');
  for (let number = 0; number < 500; number++)
    writeFileSync(`${root}/indexed/${'entry-'.repeat(1 + (number % 12))}${String(number)}`, '');
  folder('names');
  const odd = [
    'a'.repeat(255),
    'ü'.repeat(127),
    'two words',
    'quote"s\'',
    'back\\slash',
    'new\nline',
    '-dash',
    '*',
    '漢字',
    '😀',
  ];
  for (const name of odd) writeFileSync(`${root}/names/${name}`, `${name}\n`);
  for (const bytes of [
    [0xff],
    [0x61, 0xe4, 0x62],
    [0xed, 0xa0, 0x80],
    [0xc3],
    [0xf5, 0x80, 0x80, 0x80],
    [0x7f, 0x01],
  ])
    writeFileSync(Buffer.concat([Buffer.from(`${root}/names/`), Buffer.from(bytes)]), Buffer.from(bytes));

  // data: around the borders of inline data, of blocks and of the block map's levels; holes
  folder('sizes');
  const borders = [0, 1, 59, 60, 61, 92, 128, 156, 159, 160, 161, 400, 1023, 1024, 1025, 4095, 4096, 4097];
  for (const size of [...borders, 12 * 1024, 12 * 1024 + 1, 48 * 1024 + 1, 65_535, 65_536, 65_537, 300_000])
    writeFileSync(`${root}/sizes/${String(size)}`, random(size));
  folder('holes');
  sparse(`${root}/holes/all`, 1_000_000, []);
  sparse(`${root}/holes/begin`, 300_000, [290_000]);
  sparse(`${root}/holes/end`, 300_000, [0]);
  sparse(
    `${root}/holes/comb`,
    400_000,
    Array.from({ length: 48 }, (_, tooth) => tooth * 8192),
  );
  // beyond 64 MiB lies the third level of the map of 1 KiB blocks
  sparse(`${root}/holes/third-level`, 68_000_000, [0, 13_000, 280_000, 300_000, 67_450_000, 67_999_000]);

  // links
  folder('links');
  writeFileSync(`${root}/links/original`, 'linked\n');
  for (const name of ['second', 'third']) linkSync(`${root}/links/original`, `${root}/links/${name}`);
  for (const length of [1, 59, 60, 61, 155, 300, 1000])
    symlinkSync('x'.repeat(length).replace(/(x{200})/g, '$1/'), `${root}/links/to-${String(length)}`);
  symlinkSync('../names/漢字', `${root}/links/up`);
  symlinkSync(Buffer.from([0x2e, 0x2f, 0xff, 0xfe]), `${root}/links/bytes`);
  symlinkSync('loop-b', `${root}/links/loop-a`);
  symlinkSync('loop-a', `${root}/links/loop-b`);
  symlinkSync('/', `${root}/links/root`);
}

if (kind === 'many' && target) many(target, amount === undefined ? undefined : Number(amount));
else if (kind === 'big' && target) big(target, amount === undefined ? undefined : Number(amount));
else if (kind === 'torn' && target) torn(target);
else if (kind === 'rich' && target) rich(target);
else {
  console.error('usage: node sample-trees.mjs many|big|torn|rich TARGET');
  process.exit(2);
}
