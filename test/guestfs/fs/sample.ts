/** A tree of files on the host, and the same tree on an ext4 image: so that the facade can be compared with node:fs. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Guestfs } from '../../../src/guestfs/index.js';
import { toolEnvironment } from '../../support/tools.js';

/** What making the image takes. */
export const sampleTools = ['mke2fs', 'debugfs', 'mkfifo'];

export function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { env: toolEnvironment, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

/** A name that is not UTF-8. */
export const oddName = Buffer.from('odd \xff\xc3(', 'latin1');

/** The nanoseconds of `/dir/b.txt`'s modification: mke2fs copies whole seconds. */
export const oddNanoseconds = 123_456_789;

export interface Sample {
  /** On the host. */
  readonly tree: string;
  readonly image: string;
}

/** Makes the tree, and the image of it. */
export function makeSample(directory: string): Sample {
  const tree = join(directory, 'tree');
  const at = (...names: string[]): string => join(tree, ...names);
  mkdirSync(at('dir', 'deep', 'deeper'), { recursive: true });
  mkdirSync(at('empty'));
  mkdirSync(at('dir-'));
  writeFileSync(at('a.txt'), 'hello\n');
  writeFileSync(at('nothing'), '');
  writeFileSync(at('dir', 'b.txt'), 'grün\n');
  writeFileSync(at('dir', 'größe'), Buffer.alloc(100_000, 'x'));
  writeFileSync(at('dir', 'deep', 'c'), 'c');
  writeFileSync(at('dir-', 'd'), 'd');
  writeFileSync(at('dir', 'deep', 'deeper', 'with space'), Buffer.from([0, 255, 128]));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), oddName]), 'odd');
  closeSync(openSync(at('sparse'), 'w'));
  truncateSync(at('sparse'), 1_000_000);
  linkSync(at('a.txt'), at('same'));
  symlinkSync('a.txt', at('link'));
  symlinkSync('dir/deep', at('way'));
  symlinkSync('nowhere', at('broken'));
  symlinkSync('loop', at('loop'));
  symlinkSync('/dir/b.txt', at('dir', 'absolute'));
  run('mkfifo', at('pipe'));
  chmodSync(at('a.txt'), 0o640);
  chmodSync(at('dir', 'b.txt'), 0o4755);
  chmodSync(at('dir-'), 0o1777);
  utimesSync(at('a.txt'), 1_000_000_000, 1_234_567_890);
  utimesSync(at('nothing'), new Date(-5000), new Date(-1_000_000_000));
  utimesSync(at('dir', 'b.txt'), 1, 2_000_000_000);
  const image = join(directory, 'tree.img');
  closeSync(openSync(image, 'w'));
  truncateSync(image, 8 * 1024 * 1024);
  run('mke2fs', '-q', '-t', 'ext4', '-d', tree, image);
  run('debugfs', '-w', '-R', `set_inode_field /dir/b.txt mtime_extra ${oddNanoseconds * 4}`, image);
  return { tree, image };
}

/** A handle with the image's filesystem mounted. */
export async function openSample(
  image: string,
  g = new Guestfs({ environment: false, stderr: null }),
): Promise<Guestfs> {
  g.addDrive(image, { readonly: true, format: 'raw' });
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  return g;
}
