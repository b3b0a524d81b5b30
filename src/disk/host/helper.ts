/**
 * Small programs that do on an open file what Node cannot. They inherit the descriptor as their number 3, say an answer
 * and exit; what belongs to the open file stays.
 */

/** A program with its arguments. */
export type HelperProgram = readonly [program: string, ...args: string[]];

/**
 * Runs the programs in turn, until one is installed and says what `isAnswer` takes. Otherwise the problem of the last.
 */
export function askHelper(
  programs: readonly HelperProgram[],
  fd: number,
  isAnswer: (text: string) => boolean,
): { readonly answer: string } | { readonly problem: string } {
  const names = programs.map(([program]) => program);
  let problem = `neither ${names.join(' nor ')} is installed`;
  for (const [program, ...args] of programs) {
    const { error, stdout, stderr } = process
      .getBuiltinModule('node:child_process')
      .spawnSync(program, args, { stdio: ['ignore', 'pipe', 'pipe', fd], encoding: 'utf8', timeout: 10_000 });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') continue;
    if (isAnswer(stdout)) return { answer: stdout };
    problem = stdout || stderr.trim().split('\n')[0] || error?.message || `${program} said nothing`;
  }
  return { problem };
}
