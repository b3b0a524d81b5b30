#!/usr/bin/env node
/** The `guestfs` command. */
import { commandLineWords } from './command-line.js';
import { runProgram } from './program.js';

process.exitCode = await runProgram(commandLineWords());
