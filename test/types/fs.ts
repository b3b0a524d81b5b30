/** The types of `g.fs`, held by the type check alone: it goes where libraries take an fs of promises. */
import type { promises as host } from 'node:fs';
import type { GuestBigIntStats, GuestDirent, Guestfs, GuestStats } from '../../src/guestfs/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

type OwnBuffer = ReturnType<typeof Buffer.from>;

declare const g: Guestfs;

/** What isomorphic-git declares as `PromiseFsClient`. */
interface PromiseFsClient {
  promises: {
    readFile: CallableFunction;
    writeFile: CallableFunction;
    unlink: CallableFunction;
    readdir: CallableFunction;
    mkdir: CallableFunction;
    rmdir: CallableFunction;
    stat: CallableFunction;
    lstat: CallableFunction;
    readlink?: CallableFunction;
    symlink?: CallableFunction;
    chmod?: CallableFunction;
  };
}
declare function log(options: { readonly fs: PromiseFsClient; readonly dir: string }): Promise<void>;
/** What a library asks for in Node's own types; its `readFile` would take open files too. */
interface NodeLike
  extends Pick<typeof host, 'access' | 'lstat' | 'readdir' | 'readlink' | 'realpath' | 'stat'> {
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  readFile(path: string): Promise<Uint8Array>;
}
declare function serve(fs: NodeLike): void;

export async function asOthersTakeIt(): Promise<void> {
  await log({ fs: g.fs, dir: '/srv/repository' });
  serve(g.fs);
}

export async function answers(): Promise<void> {
  same<Awaited<ReturnType<typeof g.fs.exists>>, boolean>(true);
  const bytes = await g.fs.readFile('/a');
  same<typeof bytes, OwnBuffer>(true);
  const text = await g.fs.readFile('/a', { encoding: 'utf8', signal: AbortSignal.timeout(1) });
  same<typeof text, string>(true);
  const names = await g.fs.readdir('/');
  same<typeof names, string[]>(true);
  const buffers = await g.fs.readdir('/', 'buffer');
  same<typeof buffers, OwnBuffer[]>(true);
  const entries = await g.fs.readdir('/', { withFileTypes: true, recursive: true });
  same<typeof entries, GuestDirent[]>(true);
  const odd = await g.fs.readdir('/', { withFileTypes: true, encoding: 'buffer' });
  same<typeof odd, GuestDirent<OwnBuffer>[]>(true);
  const stats = await g.fs.stat(new URL('file:///a'));
  same<typeof stats, GuestStats>(true);
  const big = await g.fs.lstat(Buffer.from('/a'), { bigint: true });
  same<typeof big, GuestBigIntStats>(true);
  same<typeof big.mtimeNs, bigint>(true);
  // @ts-expect-error a facade belongs to a handle
  g.fs = undefined;
}
