// Writes NAME.truth.jsonl.gz for an ext filesystem as debugfs tells it: for filesystems that the kernel refuses
// (blocks larger than its pages), and where starting an appliance would take too long.
//   node debugfs-truth.mjs IMAGE INTO NAME
// debugfs shows an ACL in its on-disk form, which is not the one that the kernel hands out: those attributes are left
// out.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { text } from '../lib/text-bytes.mjs';

const [image, into, name] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'debugfs-truth-'));
const types = { 4: 'directory', 8: 'regular', 10: 'symlink' };

/** What debugfs answers to each of these commands, as latin1 text (a letter a byte). */
function ask(commands) {
  const script = join(scratch, 'commands');
  const answers = [];
  for (let at = 0; at < commands.length; at += 5000) {
    const some = commands.slice(at, at + 5000);
    writeFileSync(script, some.map((command) => `${command}\n`).join(''));
    const out = execFileSync('debugfs', ['-f', script, image], {
      encoding: 'latin1',
      maxBuffer: 2 ** 30,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pieces = out.split(/^debugfs: /m).slice(1);
    if (pieces.length !== some.length)
      throw new Error(`${name}: ${some.length} commands, ${pieces.length} answers`);
    answers.push(...pieces.map((piece, index) => piece.slice(some[index].length + 1)));
  }
  return answers;
}

/** Every name below the root, by a walk in levels. */
function names() {
  const found = [{ path: '', ino: 2 }];
  let level = found;
  while (level.length > 0) {
    const next = [];
    ask(level.map(({ ino }) => `ls -p <${ino}>`)).forEach((answer, index) => {
      for (const [, ino, mode, entry] of answer.matchAll(/\/(\d+)\/(\d{6})\/\d+\/\d+\/([^/]+)\/\d*\/\n/g)) {
        if (entry === '.' || entry === '..' || ino === '0') continue;
        const file = { path: `${level[index].path}/${entry}`, ino: Number(ino) };
        found.push(file);
        if (mode.startsWith('04')) next.push(file);
      }
    });
    level = next;
  }
  return found;
}

const time = (answer, which) => {
  const [, seconds, extra] = answer.match(new RegExp(`^ *${which}: 0x([0-9a-f]{8})(?::([0-9a-f]{8}))?`, 'm'));
  const more = Number.parseInt(extra ?? '0', 16);
  const whole = (Number.parseInt(seconds, 16) | 0) + (more & 3) * 2 ** 32;
  return `${whole}.${String(more >>> 2).padStart(9, '0')}`;
};

function inode(answer, ino) {
  const number = (pattern, base = 10) => Number.parseInt(answer.match(pattern)?.[1] ?? '0', base);
  const kinds = {
    regular: 8,
    directory: 4,
    symlink: 10,
    'character special': 2,
    'block special': 6,
    FIFO: 1,
    socket: 12,
  };
  const kind = kinds[answer.match(/Type: (.+?) +Mode:/)[1]];
  if (kind === undefined) throw new Error(`${name}: inode ${ino} has an unknown type`);
  return {
    ino,
    mode: kind * 0x1000 + number(/Mode: +(\d+)/, 8),
    nlink: number(/^Links: (\d+)/m),
    uid: number(/^User: +(\d+)/m),
    gid: number(/Group: +(\d+)/),
    size: kind === 8 || kind === 4 || kind === 10 ? number(/Size: (\d+)/) : 0,
    rdev: answer
      .match(/\(hex ([0-9a-f]+):([0-9a-f]+)\)/)
      ?.slice(1, 3)
      .map((hex) => Number.parseInt(hex, 16)) ?? [0, 0],
    blocks: number(/Blockcount: (\d+)/),
    atime: time(answer, 'atime'),
    mtime: time(answer, 'mtime'),
    ctime: time(answer, 'ctime'),
  };
}

/** Adds what a file holds: a link's target, a regular file's checksum, and the attributes. */
function contents(inodes) {
  const wanted = [];
  for (const file of inodes.values()) {
    const kind = types[file.mode >> 12];
    const fast = kind === 'symlink' ? file.answer.match(/^Fast link dest: "(.*)"$/m) : undefined;
    if (fast) file.link = text(Buffer.from(fast[1], 'latin1'));
    else if (kind === 'symlink' || kind === 'regular') {
      file.dump = join(scratch, String(file.ino));
      wanted.push(`dump <${file.ino}> ${file.dump}`);
    }
    const listed = file.answer.split(/^Extended attributes:\n/m)[1] ?? '';
    for (const [, attribute] of listed.matchAll(/^ {2}(\S+) \(\d+\)/gm)) {
      if (attribute.startsWith('system.')) continue;
      file.attributes ??= [];
      file.attributes.push(attribute);
      wanted.push(
        `ea_get -f ${join(scratch, `${file.ino}.${file.attributes.length}`)} <${file.ino}> ${attribute}`,
      );
    }
  }
  ask(wanted);
  for (const file of inodes.values()) {
    if (file.dump) {
      const bytes = readFileSync(file.dump);
      if (file.mode >> 12 === 10) file.link = text(bytes);
      else file.sha256 = createHash('sha256').update(bytes).digest('hex');
      rmSync(file.dump);
    }
    file.attributes?.forEach((attribute, index) => {
      file.xattrs ??= {};
      const path = join(scratch, `${file.ino}.${index + 1}`);
      file.xattrs[attribute] = existsSync(path) ? readFileSync(path).toString('hex') : '';
    });
    for (const key of ['answer', 'dump', 'attributes']) delete file[key];
  }
}

try {
  const found = names();
  const numbers = [...new Set(found.map((file) => file.ino))];
  const inodes = new Map();
  ask(numbers.map((ino) => `stat <${ino}>`)).forEach((answer, index) => {
    inodes.set(numbers[index], { ...inode(answer, numbers[index]), answer });
  });
  contents(inodes);
  const lines = found
    .map(({ path, ino }) => ({ path: text(Buffer.from(path, 'latin1')) || '/', ...inodes.get(ino) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const [stats] = ask(['stats -h']);
  const field = (label) => stats.match(new RegExp(`^${label}: +(.*)$`, 'm'))?.[1] ?? '';
  const label = field('Filesystem volume name').replace('<none>', '');
  lines.unshift({ teller: 'debugfs', label, uuid: field('Filesystem UUID') });
  writeFileSync(
    join(into, `${name}.truth.jsonl.gz`),
    gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
