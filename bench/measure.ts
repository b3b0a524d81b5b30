/**
 * Runs commands, in turn, and tells how long they took, on the clock and of the processors, and how much memory they
 * used.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface Measured {
  /** Seconds, one for each run. */
  seconds: number[];
  /** Seconds of processor time of all its processes and threads, one for each run: what a busy machine changes least. */
  processorSeconds: number[];
  /** The most resident memory of any of its processes, in bytes, where it was measured. */
  memory?: number;
  /** Why there is no figure. */
  failed?: string;
}

export interface Place {
  images: string;
  scratch: string;
  /** A directory in memory, where there is one, for what is made of many files. */
  memory: string;
  command: string;
}

const limitInSeconds = 600;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The line of what a failing program wrote that is most likely to say why. */
export function reasonIn(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /error|cannot|no such|not supported/i.test(line)) ?? lines[0] ?? '';
}

/** The environment in which the shell lines run. */
function environment({ images, scratch, memory, command }: Place): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LIBGUESTFS_BACKEND: 'embedded',
    LC_ALL: 'C.UTF-8',
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    I: images,
    T: scratch,
    M: memory,
    G: command,
  };
}

interface Run {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly failed?: string;
}

/** The shell's own report of what a line took, alone on descriptor 3; the line's messages stay on standard error. */
const timed = `exec 4>&2; TIMEFORMAT='%U %S'; { time { eval "$LINE" 2>&4 3>&-; }; } 2>&3`;

/** Runs a shell line with its output to /dev/null. */
export function run(line: string, place: Place): Run {
  const nowhere = openSync('/dev/null', 'w');
  try {
    const start = process.hrtime.bigint();
    // our command is `$G`, two words: unquoted on purpose
    const { status, signal, stderr, error, output } = spawnSync('bash', ['-o', 'pipefail', '-c', timed], {
      env: { ...environment(place), LINE: line },
      stdio: ['ignore', nowhere, 'pipe', 'pipe'],
      timeout: limitInSeconds * 1000,
    });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const [user = Number.NaN, system = Number.NaN] = (output[3]?.toString() ?? '').split(' ').map(Number);
    const times = { seconds, processorSeconds: user + system };
    if (status === 0) return times;
    // A page of results has no paths of the machine that made it.
    const why = [
      ['$M', place.memory],
      ['$T', place.scratch],
      ['$I', place.images],
    ].reduce(
      (text, [short = '', path = '']) => text.replaceAll(path, short),
      error?.message ?? reasonIn(stderr.toString()),
    );
    return { ...times, failed: `${signal ?? `exit ${String(status)}`}: ${why}` };
  } finally {
    closeSync(nowhere);
  }
}

/** What a shell line prints. */
export function ask(line: string, place: Place): string {
  return spawnSync('bash', ['-c', line], { env: environment(place) })
    .stdout.toString()
    .trim();
}

/** Runs a shell line once under GNU time; the resident memory of its largest process, in bytes. */
export function memoryOf(line: string, place: Place): number | undefined {
  const script = `exec /usr/bin/time -f 'maxrss %M' bash -o pipefail -c "$LINE" >/dev/null`;
  const { stderr } = spawnSync('bash', ['-c', script], {
    env: { ...environment(place), LINE: line },
    timeout: limitInSeconds * 1000,
  });
  const kibibytes = /^maxrss (\d+)$/m.exec(stderr.toString())?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

export interface Contender {
  name: string;
  line: string;
  runs: number;
  /** What `$G` is for it, if not the place's. */
  command?: string;
}

/** So many runs are not counted: they fill the page cache, and of ours the first three keep what V8 compiled. */
export const unmeasured = 3;

/**
 * Runs all contenders in turn (A B C A B C …) until each has run as often as it shall, behind those runs that are not
 * counted. Those that run less often than the others have none: they are slow because of what they do themselves.
 */
export function inTurn(
  contenders: readonly Contender[],
  place: Place,
  told: (text: string) => void,
): Map<string, Measured> {
  const results = new Map<string, Measured>(
    contenders.map(({ name }) => [name, { seconds: [], processorSeconds: [] }]),
  );
  const most = Math.max(...contenders.map(({ runs }) => runs));
  for (let round = 1 - unmeasured; round <= most; round++) {
    for (const { name, line, runs, command = place.command } of contenders) {
      const result = results.get(name);
      if (!result || result.failed !== undefined) continue;
      if (round > runs || (round < 1 && runs < most)) continue;
      const { seconds, processorSeconds, failed } = run(line, { ...place, command });
      run('rm -rf $T/tree.* $M/tree.*', place);
      if (failed !== undefined) result.failed = failed;
      else if (round > 0) {
        result.seconds.push(seconds);
        result.processorSeconds.push(processorSeconds);
      }
      told(`${name} ${failed ?? `${seconds.toFixed(3)} s`}`);
    }
  }
  return results;
}
