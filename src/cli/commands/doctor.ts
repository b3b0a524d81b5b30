/** `guestfs doctor`: what works on this machine. */
import { fileURLToPath } from 'node:url';
import { asGuestfsError, UnsupportedError } from '../../base/index.js';
import { imageFormatNames, imageInfo, packageVersion } from '../../guestfs/index.js';
import type { Paint } from '../colors.js';
import { exitStatus, Failure, usageFailure } from '../failure.js';
import { fold } from '../fold.js';
import { makeHandle } from '../guest.js';
import { type Check, checkAppliance, checkNode, checkTemporary, checkZstd } from '../host-checks.js';
import type { Command, Invocation } from '../invocation.js';
import { humanSize } from '../sizes.js';
import { visible } from '../visible.js';
import { padEnd } from '../width.js';

/** Those that people ask for; the engine says of each whether it reads it. */
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
  'f2fs',
  'hfsplus',
  'ufs',
];

/** A scratch drive of this size is enough to see the engine run. */
const scratchInBytes = 2 ** 20;

interface EngineFacts {
  readonly check: Check;
  readonly temporary: Check;
  readonly appliancePath: string;
  readonly reads: readonly string[];
  readonly doesNotRead: readonly string[];
}

async function checkEngine(invocation: Invocation): Promise<EngineFacts> {
  const { signal } = invocation;
  const name = 'embedded engine';
  const g = makeHandle(invocation);
  const temporary = checkTemporary(g.getTmpdir(), humanSize);
  const appliancePath = g.getPath();
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
      appliancePath,
      reads,
      doesNotRead,
    };
  } catch (thrown) {
    const { code, message } = asGuestfsError(thrown);
    if (code === 'ECANCELED') throw thrown;
    return {
      check: { name, status: 'failed', detail: message },
      temporary,
      appliancePath,
      reads,
      doesNotRead,
    };
  } finally {
    await g.close();
  }
}

/** A format that is only recognised refuses by its name whatever the file; this one is of none but `raw`. */
async function readsFormat(format: string): Promise<boolean> {
  try {
    await imageInfo(fileURLToPath(import.meta.url), format);
    return true;
  } catch (thrown) {
    return !(thrown instanceof UnsupportedError);
  }
}

async function listFormats(): Promise<{ reads: string[]; doesNotRead: string[] }> {
  const reads: string[] = [];
  const doesNotRead: string[] = [];
  for (const format of imageFormatNames) ((await readsFormat(format)) ? reads : doesNotRead).push(format);
  return { reads, doesNotRead };
}

const marks = { ok: ['green', 'ok'], missing: ['yellow', 'missing'], failed: ['red', 'FAILED'] } as const;

function checkLines(checks: readonly Check[], paint: Paint): string[] {
  return checks.map(({ name, status, detail, package: debianPackage }) => {
    const [color, word] = marks[status];
    const where = debianPackage === undefined ? '' : `  (Debian: ${debianPackage})`;
    return `  ${padEnd(name, 16)} ${paint(color, padEnd(word, 8))} ${visible(detail)}${where}`;
  });
}

/** `reads …` and `not …`, folded under their name. */
function readsLines(name: string, reads: readonly string[], doesNotRead: readonly string[]): string[] {
  const indent = ' '.repeat(19);
  const lines = fold(
    `reads ${reads.length > 0 ? reads.join(', ') : 'none'}`,
    indent,
    `  ${padEnd(name, 16)} `,
  );
  if (doesNotRead.length > 0) lines.push(...fold(`not ${doesNotRead.join(', ')}`, indent));
  return lines;
}

export const doctor: Command = {
  options: { json: { type: 'flag' } },
  async run(invocation) {
    const { operands, options, out, paint } = invocation;
    if (operands.length > 0)
      throw usageFailure(`'${operands[0]}' is too much`, 'doctor looks at this machine, not at an image');
    const engine = await checkEngine(invocation);
    const checks = [checkNode(), checkZstd(), engine.check, engine.temporary];
    const formats = await listFormats();
    const appliance = await checkAppliance(engine.appliancePath);
    const works = checks.every(({ status }) => status === 'ok');
    if (options.flag('json')) {
      await invocation.printJson({
        version: packageVersion,
        works,
        checks,
        imageFormats: formats,
        filesystems: { reads: engine.reads, doesNotRead: engine.doesNotRead },
        directBackend: { inThisVersion: false, checks: appliance },
      });
    } else {
      await out.lines([
        paint('bold', `guestfs ${packageVersion}: the embedded engine`),
        ...checkLines(checks, paint),
        ...readsLines('image formats', formats.reads, formats.doesNotRead),
        ...readsLines('filesystems', engine.reads, engine.doesNotRead),
        '',
        paint('bold', 'What the direct backend would need, which is not part of this version'),
        ...checkLines(appliance, paint),
      ]);
    }
    if (!works) throw new Failure('the embedded engine does not work here', exitStatus.failure);
  },
};
