/**
 * The types of the public class, held by the type check alone: every line marked as an error must be one, and all
 * others must not. Nothing here is run.
 */
import {
  type ActionArguments,
  bindingKey,
  type Guestfs,
  type GuestfsEvent,
  Guestfs as Handle,
  type PrivateKey,
  type Progress,
  privateKey,
} from '../../src/guestfs/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

declare const g: Guestfs;

export async function actions(): Promise<void> {
  // Required arguments in order, then one object of optional ones with the controls of the call.
  await g.mount('/dev/sda1', '/');
  await g.mkfs('ext4', '/dev/sda1', { blocksize: 4096, label: undefined, signal: AbortSignal.timeout(1) });
  await g.download('/a', '/host/a', { onProgress: ({ position, total }) => position / total });
  await g.upload(new ReadableStream<Uint8Array>(), '/a');
  // @ts-expect-error an argument is missing
  await g.mount('/dev/sda1');
  // @ts-expect-error an argument of the wrong type
  await g.partDisk('/dev/sda', 12);
  // @ts-expect-error there is no such option
  await g.mkfs('ext4', '/dev/sda1', { blocksise: 4096 });
  // @ts-expect-error an option of the wrong type
  await g.mkfs('ext4', '/dev/sda1', { blocksize: '4096' });
  // @ts-expect-error there is no such action
  await g.formatEverything();
  // @ts-expect-error the methods have names in camelCase
  await g.part_disk('/dev/sda', 'mbr');

  // Settings and drives answer at once.
  same<ReturnType<typeof g.getMemsize>, number>(true);
  same<ReturnType<typeof g.getAppend>, string | null>(true);
  g.addDrive('a.img', { readonly: true, format: 'raw' });
  g.setMemsize(1024);
  // @ts-expect-error what answers at once takes no signal
  g.setMemsize(1024, { signal: AbortSignal.timeout(1) });
  // @ts-expect-error a drive takes no signal
  g.addDrive('a.img', { signal: AbortSignal.timeout(1) });

  // Results.
  same<Awaited<ReturnType<typeof g.exists>>, boolean>(true);
  same<Awaited<ReturnType<typeof g.readFile>>, Uint8Array>(true);
  const filesystems: Map<string, string> = await g.listFilesystems();
  filesystems.clear();
  for (const { partNum, partStart } of await g.partList('/dev/sda')) {
    same<typeof partNum, number>(true);
    same<typeof partStart, number>(true);
  }
  same<ActionArguments<'mount'>['length'], 2>(true);
  await using closing = g;
  closing.userCancel();
}

export function making(): void {
  new Handle();
  new Handle({
    backend: 'embedded',
    policy: 'trusted',
    environment: false,
    closeOnExit: false,
    stderr: null,
  });
  // @ts-expect-error there is no such backend
  new Handle({ backend: 'magic' });
  // @ts-expect-error there is no such policy
  new Handle({ policy: 'naive' });
  // @ts-expect-error there is no such option
  new Handle({ bakend: 'embedded' });
  same<typeof g.state, 'config' | 'launching' | 'ready' | 'busy' | 'closed'>(true);
  // @ts-expect-error the state is read only
  g.state = 'ready';
}

export function privateData(name: string): void {
  g.setPrivate('myapp.thing', 1);
  g.setPrivate(name, {});
  const thing = g.getPrivate('myapp.thing');
  same<typeof thing, unknown>(true);
  // @ts-expect-error names with an underscore belong to bindings
  g.setPrivate('_thing', 1);
  // @ts-expect-error also for reading
  g.getPrivate('_thing');
  // @ts-expect-error also with more after it
  g.setPrivate('_mybinding.thing', 1);

  const key = privateKey<Date>('myapp.date');
  same<typeof key, PrivateKey<Date>>(true);
  g.setPrivate(key, new Date());
  g.setPrivate(key, null);
  const date = g.getPrivate(key);
  same<typeof date, Date | null>(true);
  // @ts-expect-error the key is for another type
  g.setPrivate(key, 'yesterday');

  const reserved = privateKey<Date>('_date');
  // @ts-expect-error a reserved name is no key
  g.setPrivate(reserved, new Date());
  // @ts-expect-error a reserved name is no key
  g.getPrivate(reserved);

  // The documented way for bindings.
  const state = bindingKey<number>('_mybinding.state');
  g.setPrivate(state, 1);
  const value = g.getPrivate(state);
  same<typeof value, number | null>(true);
  // @ts-expect-error names of bindings begin with an underscore
  bindingKey<number>('mybinding.state');
}

export async function events(): Promise<void> {
  const stop = g.on('progress', (progress) => same<typeof progress, Progress>(true));
  same<typeof stop, () => void>(true);
  g.on('trace', (message) => same<typeof message, string>(true));
  g.on('close', (nothing) => same<typeof nothing, undefined>(true));
  g.once('launchDone', (_nothing, own) => own.state);
  // @ts-expect-error the names are in camelCase
  g.on('launch_done', () => {});
  // @ts-expect-error there is no such event
  g.on('explosion', () => {});
  // @ts-expect-error progress is no text
  g.on('progress', (message: string) => message);

  const number = g.setEventCallback((event, eventHandle) => {
    if (event.event === 'progress') same<typeof event.progress, Progress>(true);
    if (event.event === 'warning') same<typeof event.message, string>(true);
    // @ts-expect-error not every event has a text
    event.message;
    g.deleteEventCallback(eventHandle);
  }, 0x3ff);
  same<typeof number, number>(true);
  g.setEventCallback((event) => event.message, ['trace', 'warning']);
  g.setEventCallback((event: GuestfsEvent<'progress'>) => event.progress, 'progress');

  for await (const { procNr, serial, position, total } of g.events('progress', { until: g.sync() }))
    Math.max(procNr, serial, position, total);

  const opaque = { count: 0 };
  g.setProgressCallback((own, value, procNr, serial, position, total) => {
    value.count += procNr + serial + position + total;
    own.userCancel();
  }, opaque);
  g.setLogMessageCallback((_own, value, message) => `${value}${message}`, 'opaque');
  g.setCloseCallback((own) => own.getPrivate('thing'));
  g.setCloseCallback(null);
  // @ts-expect-error a callback, or null
  g.setCloseCallback(undefined);
}
