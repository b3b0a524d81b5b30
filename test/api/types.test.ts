/**
 * What the type checker accepts and refuses. The lines marked as errors are the test: `tsc` fails on each that is
 * none. At run time only the shape of one example is looked at.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ActionArguments,
  ActionMethods,
  ActionOptions,
  ActionResult,
  AsyncActionName,
  Device,
  Guid,
  Handler,
  Handlers,
  HostPath,
  Key,
  MethodName,
  Mountable,
  Pathname,
  Structs,
  SyncActionName,
} from '../../src/api/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => {};

export function methods(
  g: ActionMethods,
  disk: Device,
  path: Pathname,
  key: Key,
  host: HostPath,
  guid: Guid,
  what: Mountable,
): void {
  g.cryptsetupOpen(disk, key, 'name', { readonly: true });
  // @ts-expect-error: device and key are confused
  g.cryptsetupOpen(key, disk, 'name');
  // @ts-expect-error: a path inside the guest is no device
  g.partList(path);
  // @ts-expect-error: a path of the host is none of the guest
  g.cat(host);
  // @ts-expect-error: a GUID is no device
  g.blockdevGetsz(guid);
  // @ts-expect-error: a path of the guest is no file of the host
  g.download('/etc/fstab', path);
  g.mount(disk, path);
  g.mount(what, '/');
  // @ts-expect-error: a mountable need not be a device
  g.partList(what);
  g.upload(host, path);
  g.partList('/dev/sda');
  g.vgcreate('VG', [disk, '/dev/sdb1']);
  // @ts-expect-error: keys are no devices, also in a list
  g.vgcreate('VG', [key]);

  g.addDrive('disk.img', { readonly: true, format: undefined });
  // @ts-expect-error: no such option
  g.addDrive('disk.img', { readOnly: true });
  // @ts-expect-error: an option of the wrong type
  g.addDrive('disk.img', { readonly: 'yes' });
  // @ts-expect-error: a call that is over at once has no signal
  g.addDrive('disk.img', { signal: new AbortController().signal });
  // @ts-expect-error: too few arguments
  g.mount(disk);
  // @ts-expect-error: too many arguments
  g.getVerbose({});
  // @ts-expect-error: no such method
  g.part_list(disk);
  // @ts-expect-error: there are no pointers
  g.addLibvirtDom(1);

  g.tarOut('/', 'out.tar', {
    compress: 'gzip',
    signal: new AbortController().signal,
    onProgress: ({ position, total }) => position / total,
  });
  g.partSetGptAttributes(disk, 1, 4);
  g.partSetGptAttributes(disk, 1, 4n);
  // @ts-expect-error: the result is a promise
  const partitions: Structs['partition'][] = g.partList(disk);
  const verbose: boolean = g.getVerbose();
  void [partitions, verbose];
}

export type Results = [
  ActionResult<'mount'>,
  ActionResult<'get_append'>,
  ActionResult<'list_filesystems'>,
  ActionResult<'part_get_gpt_attributes'>,
  ActionResult<'read_file'>,
  ActionResult<'part_list'>,
];

holds<Equal<ActionResult<'get_append'>, string | null>>();
holds<Equal<ActionResult<'exists'>, boolean>>();
holds<Equal<ActionResult<'filesize'>, number>>();
holds<Equal<ActionResult<'read_file'>, Uint8Array>>();
holds<Equal<ActionResult<'part_get_gpt_attributes'>, bigint>>();
holds<Equal<ActionResult<'list_devices'>, Device[]>>();
holds<Equal<ActionResult<'list_filesystems'>, Map<Mountable, string>>>();
holds<Equal<ActionResult<'statns'>, Structs['statns']>>();
holds<Equal<ActionResult<'inotify_read'>, Structs['inotify_event'][]>>();
holds<Equal<ActionArguments<'chmod'>, [number, Pathname]>>();
holds<Equal<ActionOptions<'umount'>, { force?: boolean | undefined; lazyunmount?: boolean | undefined }>>();
holds<Equal<MethodName<'mke2fs_JL'>, 'mke2fsJL'>>();
holds<
  Equal<Structs['partition'], { partNum: number; partStart: number; partEnd: number; partSize: number }>
>();
holds<Equal<Structs['lvm_lv']['snapPercent'], number | null>>();
holds<Equal<Structs['xattr'], { attrname: string; attrval: Uint8Array }>>();
holds<'get_verbose' extends SyncActionName ? true : false>();
holds<'launch' extends AsyncActionName ? true : false>();
holds<Equal<SyncActionName & AsyncActionName, never>>();
holds<Equal<Awaited<ReturnType<ActionMethods['partToDev']>>, Device>>();

// @ts-expect-error: no such action
export type Missing = ActionResult<'part_lst'>;

type Ends = { in: Uint8Array; out: { write(bytes: Uint8Array): void } };
const handlers: Handlers<'head' | 'tar_out' | 'upload', { steps: number }, Ends> = {
  head: (call, path) => [path, String(call.steps)],
  tar_out: (_call, _directory, file, { compress }) => file.write(new TextEncoder().encode(compress)),
  upload: (call, file) => {
    call.steps += file.length;
  },
};
// @ts-expect-error: a handler that gives the wrong result
export const wrong: Handler<'head', unknown, Ends> = () => 'line';
// @ts-expect-error: a handler is missing
export const lacking: Handlers<'head' | 'cat', unknown, Ends> = { head: () => [] };

test('a handler has the arguments of its action in order, then the options', () => {
  const call = { steps: 1 };
  assert.deepEqual(handlers.head(call, '/etc/hosts', {}), ['/etc/hosts', '1']);
  handlers.upload(call, Uint8Array.of(1, 2), '/x', {});
  assert.equal(call.steps, 3);
});
