/** A seeded stream of chance. Equal seeds give equal streams; a fork depends on its name, never on what was drawn before. */
export type Random = {
  /** An integer from 0 to 2^32 - 1. */
  u32(): number;
  /** From 0 (included) to 1 (excluded), in steps of 2^-32. */
  uniform(): number;
  /** A real number from `low` (included) to `high` (excluded). */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** True with probability `share`. */
  chance(share: number): boolean;
  /** Standard normal. */
  normal(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Poisson; from a mean of 40 on by its normal approximation. */
  poisson(mean: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** A version 4 UUID as text. */
  uuid(): string;
  /** An independent stream, named. */
  fork(name: string): Random;
};

/** Chris Doty-Humphrey's sfc32: 128 bits of state, passes PractRand; seeded through a 128-bit text hash. */
export function createRandom(seed: number | string): Random {
  return new Sfc32(String(seed));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex = (byte: number): string => HEX[byte & 255] ?? '';

class Sfc32 implements Random {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  #spare = Number.NaN;

  constructor(seed: string) {
    this.#seed = seed;
    [this.#a, this.#b, this.#c, this.#counter] = hash128(seed);
    for (let i = 0; i < 15; i++) this.u32();
  }

  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  uniform(): number {
    return this.u32() / 4_294_967_296;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.uniform() < share;
  }

  /** Marsaglia's polar method; every second value comes from the pair before. */
  normal(): number {
    const spare = this.#spare;
    if (!Number.isNaN(spare)) {
      this.#spare = Number.NaN;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const square = u * u + v * v;
      if (square > 0 && square < 1) {
        const scale = Math.sqrt((-2 * Math.log(square)) / square);
        this.#spare = v * scale;
        return u * scale;
      }
    }
  }

  exponential(): number {
    return -Math.log(1 - this.uniform());
  }

  poisson(mean: number): number {
    if (mean >= 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.uniform() * items.length)] ?? items[0];
  }

  uuid(): string {
    const [a, b, c, d] = [this.u32(), this.u32(), this.u32(), this.u32()];
    const word = (n: number): string => hex(n >>> 24) + hex(n >>> 16) + hex(n >>> 8) + hex(n);
    const version = (b & 0xffff0fff) | 0x4000;
    const variant = (c & 0x3fffffff) | 0x80000000;
    const [second, third] = [word(version), word(variant)];
    return `${word(a)}-${second.slice(0, 4)}-${second.slice(4)}-${third.slice(0, 4)}-${third.slice(4)}${word(d)}`;
  }

  fork(name: string): Random {
    return new Sfc32(`${this.#seed}/${name}`);
  }
}

/** cyrb128: spreads a text over four 32-bit words. */
function hash128(text: string): [number, number, number, number] {
  let [h1, h2, h3, h4] = [1_779_033_703, 3_144_134_277, 1_013_904_242, 2_773_480_762];
  for (let i = 0; i < text.length; i++) {
    const k = text.charCodeAt(i);
    h1 = h2 ^ Math.imul(h1 ^ k, 597_399_067);
    h2 = h3 ^ Math.imul(h2 ^ k, 2_869_860_233);
    h3 = h4 ^ Math.imul(h3 ^ k, 951_274_213);
    h4 = h1 ^ Math.imul(h4 ^ k, 2_716_044_179);
  }
  h1 = Math.imul(h3 ^ (h1 >>> 18), 597_399_067);
  h2 = Math.imul(h4 ^ (h2 >>> 22), 2_869_860_233);
  h3 = Math.imul(h1 ^ (h3 >>> 17), 951_274_213);
  h4 = Math.imul(h2 ^ (h4 >>> 19), 2_716_044_179);
  h1 ^= h2 ^ h3 ^ h4;
  return [h1 | 0, (h2 ^ h1) | 0, (h3 ^ h1) | 0, (h4 ^ h1) | 0];
}
