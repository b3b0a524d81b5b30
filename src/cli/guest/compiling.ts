/** How much V8 is to make of code that runs for a few hundred milliseconds. */
import { setFlagsFromString } from 'node:v8';

/** How many bytes of code V8 puts into one function that it compiles for speed: by itself, and for a walk. */
const inlined = { usual: 920, little: 100 };

const inline = (most: number): void => setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${most}`);

/**
 * Walks a tree, or makes one: work that is over before what V8 compiles for speed has paid for itself. Less inlining
 * means less compiling, and less processor time. Only the compiler reads the flag, each time anew. The usual value is
 * back before the loader keeps compiled code, which V8 marks with its flags.
 */
export async function withLittleInlining<T>(work: () => Promise<T>): Promise<T> {
  inline(inlined.little);
  try {
    return await work();
  } finally {
    inline(inlined.usual);
  }
}
