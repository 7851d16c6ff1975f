/** The newest items of a stream in time order: at least `bound`, at most twice as many. */
export type History<T> = {
  push(item: T): void;
  last(): T | null;
  /** Items with `from <= instant <= to`. */
  range(from: number, to: number): readonly T[];
};

export function createHistory<T>(bound: number, instantOf: (item: T) => number): History<T> {
  let items: T[] = [];
  const indexFrom = (at: number): number => {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const item = items[middle];
      if (item !== undefined && instantOf(item) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    push(item) {
      if (items.length >= 2 * bound) items = items.slice(bound);
      items.push(item);
    },
    last: () => items[items.length - 1] ?? null,
    range(from, to) {
      const start = indexFrom(from);
      let end = start;
      for (let item = items[end]; item !== undefined && instantOf(item) <= to; item = items[end]) end++;
      return items.slice(start, end);
    },
  };
}
