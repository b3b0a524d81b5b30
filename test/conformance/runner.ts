/** Runs upstream's own test cases, which are data, through a handle: see the README beside them for the rules. */
import { basename, join } from 'node:path';
import { type ActionName, actions, camelCase, isActionName } from '../../src/api/index.js';
import { GuestfsError } from '../../src/base/index.js';
import type { Guestfs } from '../../src/guestfs/index.js';
import { holds } from './expressions.js';
import { sameDevice } from './values.js';

export interface CaseCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly optargs: Readonly<Record<string, unknown>>;
}

export interface Case {
  readonly name: string;
  readonly init: string;
  readonly group: string | null;
  readonly prereq: { readonly type: string; readonly group?: string };
  readonly kind: string;
  readonly calls: readonly CaseCall[];
  readonly cleanup: readonly CaseCall[];
  readonly check: { readonly string?: string; readonly cExpr?: string } | null;
  readonly libguestfs_1_48_6: string;
}

/** How a case ended. `out of reach`: a call it needs is not there; `reason` names it. */
export interface Outcome {
  readonly name: string;
  readonly verdict: 'passed' | 'failed' | 'out of reach';
  readonly reason: string;
}

/** The library and its data files, as the cases name host files. */
function hostFile(value: unknown, data: string): unknown {
  if (Array.isArray(value)) return value.map((each) => hostFile(each, data));
  if (typeof value !== 'string') return value;
  return /^(\$srcdir|\.\.\/|c-api\/)/.test(value) ? join(data, basename(value)) : value;
}

/** Host paths stand in the file arguments, and in the plain strings of actions that work on the host. */
function isHostArgument(action: ActionName, type: string): boolean {
  return type === 'fileIn' || type === 'fileOut' || (action.startsWith('disk_') && type === 'string');
}

async function call(g: Guestfs, { name, args, optargs }: CaseCall, data: string): Promise<unknown> {
  if (!isActionName(name)) throw new GuestfsError('ENOTSUP', `${name}: no such action`);
  const ordered = actions[name].args.map((argument) =>
    isHostArgument(name, argument.type) ? hostFile(args[argument.name], data) : args[argument.name],
  );
  const methods = g as unknown as Record<string, (...given: unknown[]) => unknown>;
  const method = methods[camelCase(name)];
  if (method === undefined) throw new Error(`the handle has no method for ${name}`);
  const options = Object.keys(optargs).length > 0 ? [optargs] : [];
  return await method.call(g, ...ordered, ...options);
}

const step = (
  name: string,
  args: Record<string, unknown> = {},
  optargs: Record<string, unknown> = {},
): CaseCall => ({
  name,
  args,
  optargs,
});

const initEmpty = [
  step('blockdev_setrw', { device: '/dev/sda' }),
  step('umount_all'),
  step('lvm_remove_all'),
];
const partDisk = (type: string): CaseCall => step('part_disk', { device: '/dev/sda', parttype: type });
const mount = (mountable: string): CaseCall => step('mount', { mountable, mountpoint: '/' });
const mkfs = (device: string): CaseCall => step('mkfs', { fstype: 'ext2', device });

const inits: Readonly<Record<string, readonly CaseCall[]>> = {
  InitNone: initEmpty,
  InitEmpty: initEmpty,
  InitPartition: [...initEmpty, partDisk('mbr')],
  InitGPT: [...initEmpty, partDisk('gpt')],
  InitBasicFS: [...initEmpty, partDisk('mbr'), mkfs('/dev/sda1'), mount('/dev/sda1')],
  InitBasicFSonLVM: [
    ...initEmpty,
    partDisk('mbr'),
    step('pvcreate', { device: '/dev/sda1' }),
    step('vgcreate', { volgroup: 'VG', physvols: ['/dev/sda1'] }),
    step('lvcreate', { logvol: 'LV', volgroup: 'VG', mbytes: 8 }),
    mkfs('/dev/VG/LV'),
    mount('/dev/VG/LV'),
  ],
  InitISOFS: [...initEmpty, step('mount_ro', { mountable: '/dev/sdd', mountpoint: '/' })],
  InitScratchFS: [...initEmpty, mount('/dev/sdb1')],
};

/** What the one launch of a run needs once: the scratch filesystem. */
const prologue = [
  step('part_disk', { device: '/dev/sdb', parttype: 'mbr' }),
  step('mkfs', { fstype: 'ext2', device: '/dev/sdb1' }),
];

const lacks = (thrown: unknown): thrown is GuestfsError =>
  thrown instanceof GuestfsError && thrown.code === 'ENOTSUP';

function check({ kind, check: expected }: Case, result: unknown): string | undefined {
  const show = (): string => JSON.stringify(result instanceof Uint8Array ? [...result] : result);
  switch (kind) {
    case 'TestRun':
    case 'TestRunOrUnsupported':
      return undefined;
    case 'TestResultString':
      return result === expected?.string
        ? undefined
        : `gave ${show()}, not ${JSON.stringify(expected?.string)}`;
    case 'TestResultDevice':
      return sameDevice(result, expected?.string ?? '')
        ? undefined
        : `gave ${show()}, not ${expected?.string}`;
    case 'TestResultTrue':
    case 'TestResultFalse':
      return result === (kind === 'TestResultTrue') ? undefined : `gave ${show()}`;
    case 'TestResult':
      return holds(expected?.cExpr ?? 'false', result)
        ? undefined
        : `gave ${show()}, for which ${expected?.cExpr} is false`;
    default:
      return `the kind ${kind} is not known`;
  }
}

/** Makes the scratch filesystem. Gives the reason where the backend cannot. */
export async function prepare(g: Guestfs, data: string): Promise<string | undefined> {
  try {
    for (const each of prologue) await call(g, each, data);
    return undefined;
  } catch (thrown) {
    if (lacks(thrown)) return thrown.message;
    throw thrown;
  }
}

/** Runs one case on a launched handle. `noScratch`: why there is no scratch filesystem. */
export async function runCase(g: Guestfs, one: Case, data: string, noScratch?: string): Promise<Outcome> {
  const { name } = one;
  const failed = (reason: string): Outcome => ({ name, verdict: 'failed', reason });
  const beyond = (reason: string): Outcome => ({ name, verdict: 'out of reach', reason });
  const wanted = [one.group, one.prereq.group].filter((group) => group != null);
  for (const group of wanted) {
    if (!(await g.featureAvailable([group]))) return beyond(`group ${group}`);
  }
  if (one.prereq.type === 'IfNotCrossAppliance') return beyond('runs a program of the guest');
  if (one.init === 'InitScratchFS' && noScratch !== undefined) return beyond(noScratch);
  if (one.prereq.type === 'Disabled') return beyond('disabled upstream');
  const before = inits[one.init];
  if (before === undefined) return failed(`the initial state ${one.init} is not known`);
  const last = one.calls.length - 1;
  let result: unknown;
  try {
    for (const each of before) await call(g, each, data);
    for (const each of one.calls.slice(0, last)) await call(g, each, data);
  } catch (thrown) {
    return lacks(thrown)
      ? beyond(thrown.message)
      : failed(`before the last call: ${(thrown as Error).message}`);
  }
  try {
    const final = one.calls[last];
    if (final === undefined) return failed('has no calls');
    result = await call(g, final, data);
  } catch (thrown) {
    if (lacks(thrown)) return beyond(thrown.message);
    return one.kind === 'TestLastFail'
      ? { name, verdict: 'passed', reason: '' }
      : failed((thrown as Error).message);
  } finally {
    for (const each of one.cleanup) await call(g, each, data).catch(() => {});
  }
  if (one.kind === 'TestLastFail') return failed('the last call succeeded');
  const problem = check(one, result);
  return problem === undefined ? { name, verdict: 'passed', reason: '' } : failed(problem);
}
