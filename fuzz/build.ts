/** The fuzzer's own build: bundles in which checksums can be let pass. */
import { type BuildOptions, build } from 'esbuild';

/**
 * Builds the fuzzer into a directory; `main.js` there is the program. With plugins the sources may be other than they
 * are.
 */
export async function buildFuzzer(
  directory: string,
  plugins: NonNullable<BuildOptions['plugins']> = [],
): Promise<void> {
  const { warnings } = await build({
    // package.json says that no module is wanted for what it does, as is true of src/: the platform of tests is.
    ignoreAnnotations: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    bundle: true,
    packages: 'external',
    splitting: true,
    sourcemap: true,
    logLevel: 'warning',
    define: { GUESTFS_CHECKSUMS_IGNORED: 'globalThis.fuzzIgnoresChecksums' },
    entryPoints: ['fuzz/main.ts', 'fuzz/runner.ts'],
    outdir: directory,
    plugins,
  });
  if (warnings.length > 0) throw new Error('the fuzzer is not what its sources say: see the warnings');
}
