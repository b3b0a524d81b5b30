/** `guestfs doctor`: what works on this machine. */
import { asGuestfsError, GuestfsError } from '../../base/index.js';
import {
  type CheckResult,
  examineDirect,
  imageFormatNames,
  type LaunchTrial,
  packageVersion,
  tryDirect,
} from '../../guestfs/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import { allows, findingsLines, readsLines } from '../command/findings.js';
import type { Command, Invocation } from '../command/invocation.js';
import { progressOptions } from '../command/options.js';
import { makeHandle } from '../guest/guest.js';
import { checkNode, checkTemporary } from '../host/host-checks.js';
import type { Paint } from '../terminal/colors.js';
import { fold } from '../terminal/fold.js';
import { humanSize } from '../terminal/sizes.js';
import { visible } from '../terminal/visible.js';
import { padEnd } from '../terminal/width.js';

/** The formats that people ask about. The engine decides which of them are readable. */
const filesystemTypes = [
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'vfat',
  'exfat',
  'ntfs',
  'iso9660',
  'udf',
  'squashfs',
  'cramfs',
  'f2fs',
  'hfsplus',
  'ufs',
];

/** A scratch drive of this size is enough to see the engine run. */
const scratchInBytes = 2 ** 20;

interface EngineFacts {
  readonly check: CheckResult;
  readonly temporary: CheckResult;
  readonly reads: readonly string[];
  readonly doesNotRead: readonly string[];
}

async function checkEngine(invocation: Invocation): Promise<EngineFacts> {
  const { signal } = invocation;
  const name = 'embedded engine';
  const g = makeHandle(invocation);
  const temporary = checkTemporary(g.getTmpdir(), humanSize);
  const reads: string[] = [];
  const doesNotRead: string[] = [];
  try {
    const start = performance.now();
    g.setBackend('embedded');
    g.addDriveScratch(scratchInBytes);
    await g.launch({ signal });
    const milliseconds = Math.round(performance.now() - start);
    const size = await g.blockdevGetsize64('/dev/sda', { signal });
    for (const type of filesystemTypes)
      ((await g.filesystemAvailable(type, { signal })) ? reads : doesNotRead).push(type);
    const isRight = size === scratchInBytes;
    const detail = isRight
      ? `launched in ${milliseconds} ms`
      : `a drive of ${scratchInBytes} bytes has ${size}`;
    return {
      check: { name, status: isRight ? 'ok' : 'failed', detail },
      temporary,
      reads,
      doesNotRead,
    };
  } catch (thrown) {
    const { code, message } = asGuestfsError(thrown);
    if (code === 'ECANCELED') throw thrown;
    return {
      check: { name, status: 'failed', detail: message },
      temporary,
      reads,
      doesNotRead,
    };
  } finally {
    await g.close();
  }
}

/** What is said of a backend in one line. */
interface Verdict {
  readonly backend: 'embedded' | 'direct' | 'auto';
  readonly works: boolean;
  readonly summary: string;
}

/** The verdict on the direct backend: from the launch if there was one, else from the checks. */
function directVerdict(
  findings: readonly CheckResult[],
  launch: LaunchTrial | GuestfsError | undefined,
): Verdict {
  const backend = 'direct';
  if (launch instanceof GuestfsError) return { backend, works: false, summary: launch.message };
  if (launch !== undefined) {
    const { seconds, accelerator } = launch;
    const how = accelerator === 'kvm' ? 'with KVM' : 'without KVM';
    return { backend, works: true, summary: `launched in ${seconds.toFixed(1)} s, ${how}` };
  }
  const wanting = findings.filter(({ status }) => status === 'missing' || status === 'failed');
  if (wanting.length > 0)
    return { backend, works: false, summary: `see ${wanting.map(({ name }) => name).join(', ')} below` };
  return { backend, works: true, summary: 'all is there; guestfs doctor --launch boots it' };
}

function launchFinding(launch: LaunchTrial): CheckResult {
  const { seconds, accelerator, qemuVersion, daemonVersion, actions, allActions } = launch;
  return {
    name: 'launch',
    status: accelerator === 'kvm' ? 'ok' : 'limited',
    detail: `${seconds.toFixed(1)} s with ${accelerator === 'kvm' ? 'KVM' : "qemu's own translation (TCG)"}; qemu ${qemuVersion}; guestfsd of ${daemonVersion}: ${actions} of ${allActions} actions`,
    facts: { ...launch },
  };
}

/** Boots the appliance. A failed launch is a result of the check; an interrupted one is an error. */
async function launchDirect(invocation: Invocation): Promise<LaunchTrial | GuestfsError> {
  const { options, err } = invocation;
  const isQuiet = options.flag('quiet');
  const isVerbose = options.flag('verbose');
  try {
    return await invocation.withProgress('launch', 'stages', (controls) =>
      tryDirect({
        ...controls,
        onLog: (kind, message) => {
          if (kind === 'warning' ? !isQuiet : isVerbose)
            err.writeNow(`${kind === 'warning' ? 'guestfs: warning' : 'guestfs'}: ${visible(message)}\n`);
        },
      }),
    );
  } catch (thrown) {
    const error = asGuestfsError(thrown);
    if (error.code === 'ECANCELED') throw thrown;
    return error;
  }
}

function verdictLines(verdicts: readonly Verdict[], paint: Paint): string[] {
  return verdicts.flatMap(({ backend, works, summary }) => {
    const word = works ? 'works' : 'DOES NOT WORK';
    const head = `  ${padEnd(backend, 16)} ${word}: `;
    const [first = '', ...others] = fold(visible(summary), ' '.repeat(19), head);
    return [first.replace(head, head.replace(word, paint(works ? 'green' : 'red', word))), ...others];
  });
}

export const doctor: Command = {
  options: {
    json: { type: 'flag' },
    launch: { type: 'flag' },
    verbose: { type: 'flag', short: 'v' },
    ...progressOptions,
  },
  async run(invocation) {
    const { operands, options, out, paint, signal } = invocation;
    if (operands.length > 0)
      throw usageFailure(`'${operands[0]}' is too much`, 'doctor looks at this machine, not at an image');
    const [engine, direct] = await Promise.all([
      checkEngine(invocation),
      examineDirect({ signal, showSize: humanSize }),
    ]);
    const launch = options.flag('launch') ? await launchDirect(invocation) : undefined;
    const common = [checkNode(), engine.temporary];
    const embedded = [engine.check];
    const embeddedWorks = allows([...common, ...embedded]);
    const launched: CheckResult[] =
      launch === undefined || launch instanceof GuestfsError ? [] : [launchFinding(launch)];
    const inAppliance = directVerdict([...common, ...direct], launch);
    const verdicts: Verdict[] = [
      { backend: 'embedded', works: embeddedWorks, summary: engine.check.detail },
      inAppliance,
      {
        backend: 'auto',
        works: embeddedWorks,
        summary: inAppliance.works
          ? 'the embedded engine, and the appliance when a call needs it'
          : 'the embedded engine alone: a call that needs the appliance fails',
      },
    ];
    if (options.flag('json')) {
      await invocation.printJson({
        version: packageVersion,
        works: verdicts.some(({ works }) => works),
        backends: verdicts,
        common,
        embedded: {
          checks: embedded,
          imageFormats: { reads: imageFormatNames.readable, doesNotRead: imageFormatNames.recognised },
          filesystems: { reads: engine.reads, doesNotRead: engine.doesNotRead },
        },
        direct: { checks: [...direct, ...launched] },
      });
    } else {
      await out.lines([
        paint('bold', `guestfs ${packageVersion}: its backends here`),
        ...verdictLines(verdicts, paint),
        '',
        paint('bold', 'What both need'),
        ...findingsLines(common, paint),
        '',
        paint('bold', 'The embedded engine'),
        ...findingsLines(embedded, paint),
        ...readsLines('image formats', imageFormatNames.readable, imageFormatNames.recognised),
        ...readsLines('filesystems', engine.reads, engine.doesNotRead),
        '',
        paint('bold', 'The direct backend: the real appliance in qemu'),
        ...findingsLines([...direct, ...launched], paint),
      ]);
    }
    if (launch instanceof GuestfsError)
      throw new Failure(
        launch.bareMessage,
        exitStatus.failure,
        'guestfs doctor --launch -v shows its messages',
      );
    if (!verdicts.some(({ works }) => works)) throw new Failure('no backend works here', exitStatus.failure);
  },
};
