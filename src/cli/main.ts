/** The `guestfs` command: what must not wait for the rest of its code to be loaded, which is most of it. */
import { startThread } from '../guestfs/preload.js';
import { commandLineWords } from './command/command-line.js';
import { willLaunch } from './command/preload.js';

leaveDeletedDirectory();
const words = commandLineWords();
const thread = willLaunch(words) ? startThread() : undefined;
void import('./command/program.js').then(async ({ runProgram }) => {
  process.exitCode = await runProgram(words, thread);
});

/**
 * Node starts no thread in a working directory that was deleted. The command then goes to a directory in which no file has
 * a name that could be meant, nor can be made: absolute paths work, and others are not found, as before.
 */
function leaveDeletedDirectory(): void {
  try {
    process.cwd();
  } catch {
    for (const directory of ['/proc/self/fd', '/dev/fd']) {
      try {
        return process.chdir(directory);
      } catch {
        // The next one; where there is none, the launch says what is wrong.
      }
    }
  }
}
