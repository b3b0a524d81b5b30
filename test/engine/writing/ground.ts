/** The engine's handlers in this thread, on a filesystem in memory: for scenarios that begin with a new ext4. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActionName,
  actions,
  type BackendConfig,
  camelCase,
  isActionName,
} from '../../../src/api/index.js';
import { asGuestfsError, PartialError, readLimits } from '../../../src/base/index.js';
import { HostFileSink, HostFileSource } from '../../../src/engine/host/data-sinks.js';
import { Session } from '../../../src/engine/session/session.js';
import { Call } from '../../../src/engine/thread/call.js';
import { findHandler } from '../../../src/engine/thread/dispatch.js';
import type { Guestfs } from '../../../src/guestfs/index.js';
import { WritableFileSystem } from '../../support/writable-fs.js';
import '../../support/platform.js';

/** A session with blank drives, whose calls are made in this thread. */
export class Ground {
  readonly session: Session;
  readonly directory: string;
  /** What the next `mount` mounts. */
  fileSystem = new WritableFileSystem();

  private constructor(session: Session, directory: string) {
    this.session = session;
    this.directory = directory;
  }

  /** Drives of these sizes in bytes, `/dev/sda` and on. */
  static async make(...sizes: readonly number[]): Promise<Ground> {
    const directory = mkdtempSync(join(tmpdir(), 'guestfs-writing-'));
    const drives = sizes.map((size, index) => {
      const path = join(directory, `${index}.img`);
      writeFileSync(path, '');
      truncateSync(path, size);
      return { path, format: 'raw', readonly: false };
    });
    const config = {
      drives,
      policy: 'untrusted',
      tmpdir: directory,
      autosync: true,
      limits: readLimits([], {}),
    };
    const session = await Session.start(config as unknown as BackendConfig, () => {});
    return new Ground(session, directory);
  }

  close(): void {
    this.session.close({ sync: true });
    rmSync(this.directory, { recursive: true });
  }

  /** Mounts a filesystem on a directory. */
  mount(fileSystem: WritableFileSystem, mountpoint = '/', source = '/dev/sdc'): void {
    this.session.mounts.mount(fileSystem, { source, mountpoint });
  }

  /** Makes a call: arguments in order, then the options. Files of the host are paths. */
  async call(action: ActionName, ...given: unknown[]): Promise<unknown> {
    const { args, options } = actions[action] as { args: readonly { type: string }[]; options?: object };
    const call = new Call(action, this.session, { isCancelled: () => false, progress() {} }, false);
    const sinks: HostFileSink[] = [];
    const sources: HostFileSource[] = [];
    try {
      const handler = await findHandler(action);
      const passed = args.map(({ type }, index) => {
        if (type === 'fileIn') {
          const source = new HostFileSource(String(given[index]));
          sources.push(source);
          return source;
        }
        if (type !== 'fileOut') return given[index];
        const sink = new HostFileSink(
          String(given[index]),
          () => {},
          () => call.touch(),
        );
        sinks.push(sink);
        return sink;
      });
      this.session.damage.begin();
      const value = handler(call, ...passed, options === undefined ? {} : (given[args.length] ?? {}));
      for (const sink of sinks) sink.finish();
      return value;
    } catch (thrown) {
      if (thrown instanceof PartialError) for (const sink of sinks) sink.finish();
      throw asGuestfsError(thrown);
    } finally {
      for (const source of sources) source.close();
    }
  }

  /** What scenarios need of a handle. `elsewhere`: steps that are done otherwise on this ground. */
  handle(
    elsewhere: (action: ActionName, given: readonly unknown[]) => { value: unknown } | undefined,
  ): Guestfs {
    const known = new Map(Object.keys(actions).map((name) => [camelCase(name), name]));
    return new Proxy({ state: 'ready' } as unknown as Guestfs, {
      get: (target, name) => {
        const action = known.get(String(name));
        if (action === undefined || !isActionName(action)) return Reflect.get(target, name);
        return async (...given: unknown[]) => {
          const answer = elsewhere(action, given);
          return answer === undefined ? await this.call(action, ...given) : answer.value;
        };
      },
    });
  }
}
