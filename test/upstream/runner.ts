/** Runs upstream's own test cases, which are data, through a handle: see the README beside them for the rules. */
import { basename, join } from 'node:path';
import { actions, camelCase, isActionName, needsAppliance } from '../../src/api/index.js';
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
  readonly check: { readonly string?: string; readonly device?: string; readonly cExpr?: string } | null;
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

/** Arguments that stand for files of the host. */
const isHostArgument = (type: string): boolean => ['fileIn', 'fileOut', 'hostPath'].includes(type);

async function call(g: Guestfs, { name, args, optargs }: CaseCall, data: string): Promise<unknown> {
  if (!isActionName(name)) throw new GuestfsError('ENOTSUP', `${name}: no such action`);
  const ordered = actions[name].args.map((argument) =>
    isHostArgument(argument.type) ? hostFile(args[argument.name], data) : args[argument.name],
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

/**
 * What the calls of a launch have left, as far as an initial state depends on it: so that a case begins in its state
 * without what is so already being made again, as that takes most of an appliance's time.
 */
class Remains {
  #hasVolumes = false;
  #isReadOnly = false;
  #table: unknown;

  /** Whether a call of an initial state would change nothing. */
  isDoneAlready({ name, args }: CaseCall): boolean {
    if (name === 'lvm_remove_all') return !this.#hasVolumes;
    if (name === 'blockdev_setrw') return !this.#isReadOnly;
    return name === 'part_disk' && args.parttype === this.#table;
  }

  /** Hears of a call, before it is made. */
  hear({ name, args }: CaseCall): void {
    if (name.startsWith('blockdev_set')) this.#isReadOnly = name !== 'blockdev_setrw';
    else if (Object.values(args).flat().includes('/dev/sda'))
      this.#table = name === 'part_disk' ? args.parttype : undefined;
    if (/^(?:pv|vg|lv)/.test(name)) this.#hasVolumes = name !== 'lvm_remove_all';
  }
}

/** What the one launch of a run needs once: the scratch filesystem. */
const prologue = [
  step('part_disk', { device: '/dev/sdb', parttype: 'mbr' }),
  step('mkfs', { fstype: 'ext2', device: '/dev/sdb1' }),
  // `utimens_3` looks through a link at a file, and its time, that a case which is not among these leaves behind.
  mount('/dev/sdb1'),
  step('touch', { path: '/utimens-file' }),
  step('utimens', { path: '/utimens-file', atsecs: 12345, atnsecs: 67890, mtsecs: 9876, mtnsecs: 5432 }),
  step('umount', { pathordevice: '/' }),
];

/** The cases' programs are scripts. Their shell on the scratch filesystem is the appliance's own, with its libraries. */
const shellPrologue = [
  mount('/dev/sdb1'),
  step('debug', {
    subcmd: 'sh',
    extraargs: [
      'for file in /bin/sh $(ldd /bin/sh | grep -o "/[^ ]*"); do mkdir -p $(dirname "/sysroot$file") && cp -L "$file" "/sysroot$file" || exit; done',
    ],
  }),
  step('umount', { pathordevice: '/' }),
];

const lacks = (thrown: unknown): thrown is GuestfsError =>
  thrown instanceof GuestfsError && thrown.code === 'ENOTSUP';

function check({ kind, check: expected }: Case, result: unknown): string | undefined {
  const show = (): string =>
    JSON.stringify(result instanceof Uint8Array || result instanceof Map ? [...result] : result);
  switch (kind) {
    case 'TestRun':
    case 'TestRunOrUnsupported':
      return undefined;
    case 'TestResultString':
      return result === expected?.string
        ? undefined
        : `gave ${show()}, not ${JSON.stringify(expected?.string)}`;
    case 'TestResultDevice':
      return sameDevice(result, expected?.device ?? '')
        ? undefined
        : `gave ${show()}, not ${expected?.device}`;
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

const passed = (name: string): Outcome => ({ name, verdict: 'passed', reason: '' });

/** What the run is on. */
export interface Ground {
  /** Makes a handle that is launched with the four drives. */
  readonly launch: () => Promise<Guestfs>;
  /** Whether programs of the guest can be run. */
  readonly runsPrograms: boolean;
  /** Whether the backend's daemon is known to fail a case, whoever calls it. */
  readonly daemonFails?: (one: Case) => boolean;
  /** Whether the drives hold the scratch filesystem already. Default: it is made, where the backend can. */
  readonly hasScratch?: boolean;
  /** Called after each case; false: the next one needs another launch. */
  readonly after?: (g: Guestfs, outcome: Outcome) => boolean;
  /** The directory of the host files that the cases name. */
  readonly data: string;
}

/** A launched handle, and why it has no scratch filesystem where it has none. */
interface Launched {
  readonly g: Guestfs;
  readonly noScratch: string | undefined;
  readonly remains: Remains;
}

/** Launches, and makes the scratch filesystem where the backend can. */
async function prepare({ launch, runsPrograms, data, hasScratch = false }: Ground): Promise<Launched> {
  const g = await launch();
  const remains = new Remains();
  if (hasScratch) return { g, noScratch: undefined, remains };
  try {
    for (const each of [...prologue, ...(runsPrograms ? shellPrologue : [])]) await call(g, each, data);
    return { g, noScratch: undefined, remains };
  } catch (thrown) {
    if (lacks(thrown)) return { g, noScratch: thrown.message, remains };
    await g.close();
    throw thrown;
  }
}

/** Why a case is not for this ground, or undefined where it is. */
async function whyNot(
  { g, noScratch }: Launched,
  { group, prereq, init }: Case,
  { runsPrograms }: Ground,
): Promise<string | undefined> {
  for (const wanted of [group, prereq.group])
    if (wanted != null && !(await g.featureAvailable([wanted]))) return `group ${wanted}`;
  if (prereq.type === 'IfNotCrossAppliance' && !runsPrograms) return 'runs a program of the guest';
  if (prereq.type === 'Disabled') return 'disabled upstream';
  return init === 'InitScratchFS' ? noScratch : undefined;
}

async function runCalls({ g, remains }: Launched, one: Case, { data }: Ground): Promise<Outcome> {
  const { name } = one;
  const failed = (reason: string): Outcome => ({ name, verdict: 'failed', reason });
  const beyond = (reason: string): Outcome => ({ name, verdict: 'out of reach', reason });
  const before = inits[one.init];
  if (before === undefined) return failed(`the initial state ${one.init} is not known`);
  const final = one.calls.at(-1);
  if (final === undefined) return failed('has no calls');
  const made = (each: CaseCall): Promise<unknown> => {
    remains.hear(each);
    return call(g, each, data);
  };
  try {
    for (const each of before) if (!remains.isDoneAlready(each)) await made(each);
    for (const each of one.calls.slice(0, -1)) await made(each);
  } catch (thrown) {
    return lacks(thrown)
      ? beyond(thrown.message)
      : failed(`before the last call: ${(thrown as Error).message}`);
  }
  let result: unknown;
  try {
    result = await made(final);
  } catch (thrown) {
    if (lacks(thrown)) return beyond(thrown.message);
    return one.kind === 'TestLastFail' ? passed(name) : failed((thrown as Error).message);
  }
  if (one.kind === 'TestLastFail') return failed('the last call succeeded');
  const problem = check(one, result);
  return problem === undefined ? passed(name) : failed(problem);
}

/** Runs one case, and its cleanup whatever becomes of it: that must succeed where the case did. */
async function runCase(launched: Launched, one: Case, ground: Ground): Promise<Outcome> {
  const { name } = one;
  const reason = await whyNot(launched, one, ground);
  if (reason !== undefined) return { name, verdict: 'out of reach', reason };
  let outcome = await runCalls(launched, one, ground);
  for (const each of one.cleanup) {
    try {
      launched.remains.hear(each);
      await call(launched.g, each, ground.data);
    } catch (thrown) {
      if (outcome.verdict === 'passed')
        outcome = { name, verdict: 'failed', reason: `cleanup: ${(thrown as Error).message}` };
    }
  }
  return outcome;
}

/**
 * Runs all cases, on one launch as long as all goes well: what a failed case leaves behind, or a backend that ended
 * in it, is nothing that the next one should start from.
 */
export async function runCases(cases: readonly Case[], ground: Ground): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let launched: Launched | undefined;
  try {
    for (const one of cases) {
      launched ??= await prepare(ground);
      let outcome = await runCase(launched, one, ground);
      if (outcome.verdict === 'failed' && ground.daemonFails?.(one) === true)
        outcome = { ...outcome, verdict: 'out of reach', reason: `the daemon fails it: ${outcome.reason}` };
      outcomes.push(outcome);
      const goesOn = ground.after?.(launched.g, outcome) ?? true;
      if (goesOn && outcome.verdict !== 'failed') continue;
      await launched.g.close();
      launched = undefined;
    }
  } finally {
    await launched?.g.close();
  }
  return outcomes;
}

/** The outcomes with this verdict. */
export function withVerdict(outcomes: readonly Outcome[], verdict: Outcome['verdict']): Outcome[] {
  return outcomes.filter((outcome) => outcome.verdict === verdict);
}

/** Whether the embedded engine has all that a case comes to, as far as names tell. */
export function isWithinEngine({ init, calls, cleanup }: Case): boolean {
  if (init === 'InitScratchFS') return false;
  return [...(inits[init] ?? []), ...calls, ...cleanup].every(
    ({ name }) => isActionName(name) && !needsAppliance(name),
  );
}

/** How many pass, and why how many others are out of reach, in lines. */
export function summary(outcomes: readonly Outcome[]): string[] {
  const beyond = withVerdict(outcomes, 'out of reach');
  const reasons = new Map<string, number>();
  for (const { reason } of beyond) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return [
    `${withVerdict(outcomes, 'passed').length} of ${outcomes.length} pass, ${beyond.length} are out of reach:`,
    ...[...reasons]
      .sort((a, b) => b[1] - a[1])
      .map(([reason, count]) => `${String(count).padStart(4)}  ${reason}`),
  ];
}
