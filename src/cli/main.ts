/** The `guestfs` command. */
import { commandLineWords } from './command-line.js';
import { runProgram } from './program.js';

void runProgram(commandLineWords()).then((status) => {
  process.exitCode = status;
});
