/** The `guestfs` command: what must not wait for the rest of its code to be loaded, which is most of it. */
import { startThread } from '../guestfs/ahead.js';
import { willLaunch } from './ahead.js';
import { commandLineWords } from './command-line.js';

const words = commandLineWords();
const thread = willLaunch(words) ? startThread() : undefined;
void import('./program.js').then(async ({ runProgram }) => {
  process.exitCode = await runProgram(words, thread);
});
