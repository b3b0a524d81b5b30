// Runs files of tests in the order in which they are given; `node --test` would sort them. As many at once as there are
// processors; Node's default leaves one idle.
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import skipped from './skipped.mjs';

const files = process.argv.slice(2);
const events = run({ files, concurrency: availableParallelism() });
events.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
events.compose(new spec()).pipe(process.stdout);
events.compose(skipped).pipe(process.stdout);
