/** The `guestfs` command: the part that must run before the rest of its code is loaded. */
import { startThread } from '../guestfs/preload.js';
import { commandLineWords } from './command/command-line.js';
import { willLaunch } from './command/preload.js';

leaveDeletedDirectory();
const words = commandLineWords();
const thread = willLaunch(words) ? startThread(undefined, words[0]) : undefined;
void import('./command/program.js').then(async ({ runProgram }) => {
  process.exit(await runProgram(words, thread));
});

/**
 * Node cannot start a thread in a deleted working directory. The command then changes to a directory that has no
 * files and in which none can be made: absolute paths work, and relative ones are not found, as before.
 */
function leaveDeletedDirectory(): void {
  try {
    process.cwd();
  } catch {
    for (const directory of ['/proc/self/fd', '/dev/fd']) {
      try {
        return process.chdir(directory);
      } catch {
        // Try the next directory. If there is none, the launch reports the problem.
      }
    }
  }
}
