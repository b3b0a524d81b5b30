/**
 * Parity of RAID 5 and 6. P is the exclusive or of the data of a row; Q is the sum of the data, each multiplied by a
 * power of 2 in the field of 256 elements with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (H. Peter Anvin, "The
 * mathematics of RAID-6").
 */
import { CorruptError } from '../../../base/index.js';
import { fieldPolynomial } from '../layout.js';

/** Powers of 2 and their logarithms. */
class Field {
  readonly #powers = new Uint8Array(512);
  readonly #logs = new Uint8Array(256);

  constructor() {
    let value = 1;
    for (let i = 0; i < 255; i++) {
      this.#powers[i] = value;
      this.#powers[i + 255] = value;
      this.#logs[value] = i;
      value = value < 128 ? value * 2 : (value * 2) ^ fieldPolynomial;
    }
  }

  /** 2 to a power. */
  power(exponent: number): number {
    return this.#powers[exponent % 255] as number; // safe: below 255
  }

  inverse(value: number): number {
    return this.#powers[255 - (this.#logs[value] as number)] as number; // safe: both tables have all values
  }

  /** The products of all values with one. */
  products(factor: number): Uint8Array {
    const log = this.#logs[factor] as number; // safe: factor < 256
    return Uint8Array.from({ length: 256 }, (_, value) =>
      value === 0 || factor === 0 ? 0 : (this.#powers[log + (this.#logs[value] as number)] as number),
    ); // safe: the sum of two logarithms is below 510
  }
}

function addTo(sum: Uint8Array, bytes: Uint8Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (bytes[i] as number); // safe: of one length
}

function addProductTo(sum: Uint8Array, bytes: Uint8Array, products: Uint8Array): void {
  // safe: of one length, and there are 256 products
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (products[bytes[i] as number] as number);
}

/** One row of stripes: `read` gives the bytes of a data stripe by its number, or of the parities P and Q. */
interface Row {
  readonly dataCount: number;
  readonly length: number;
  read(which: number | 'p' | 'q'): Uint8Array;
}

/**
 * The bytes of data stripe `wanted`, without reading it or any of `lost`. CorruptError if too much is lost.
 */
export function rebuild(row: Row, wanted: number, lost: ReadonlySet<number | 'p' | 'q'>): Uint8Array {
  const { dataCount, length } = row;
  const lostData = Array.from({ length: dataCount }, (_, i) => i).filter((i) => i !== wanted && lost.has(i));
  const [other, ...more] = lostData;
  const sum = new Uint8Array(length);
  const present = Array.from({ length: dataCount }, (_, i) => i).filter((i) => i !== wanted && !lost.has(i));
  if (other === undefined && !lost.has('p')) {
    addTo(sum, row.read('p'));
    for (const i of present) addTo(sum, row.read(i));
    return sum;
  }
  if (more.length > 0 || lost.has('q') || (other !== undefined && lost.has('p')))
    throw new CorruptError('btrfs stripe', 'too many of its devices are missing or damaged');
  const field = new Field();
  // sum: Q and the data there is, so the product of what is wanted, and of the other that is lost.
  addTo(sum, row.read('q'));
  for (const i of present) addProductTo(sum, row.read(i), field.products(field.power(i)));
  if (other === undefined) {
    const found = new Uint8Array(length);
    addProductTo(found, sum, field.products(field.inverse(field.power(wanted))));
    return found;
  }
  // Of two unknowns W and O: P' = W + O, Q' = 2^w W + 2^o O; so W = (Q' + 2^o P') / (2^w + 2^o).
  const plain = row.read('p').slice();
  for (const i of present) addTo(plain, row.read(i));
  addProductTo(sum, plain, field.products(field.power(other)));
  const found = new Uint8Array(length);
  addProductTo(found, sum, field.products(field.inverse(field.power(wanted) ^ field.power(other))));
  return found;
}
