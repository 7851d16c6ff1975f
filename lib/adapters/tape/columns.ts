import type { Ticker } from '../../domain/ids.ts';
import type { Print, Quote } from '../../domain/market.ts';
import type { Price } from '../../domain/money.ts';
import type { Micros } from '../../domain/time.ts';

/**
 * Prints and quotes of one symbol and day in columns: some 25 bytes each where an object takes 150. A busy symbol prints
 * half a million times a day.
 */

type Column = Float64Array | Uint32Array | Uint16Array;

/** Columns that grow together by doubling. */
abstract class Table {
  #length = 0;
  #capacity = 1_024;

  get length(): number {
    return this.#length;
  }

  /** The row to write next; the columns are large enough for it. */
  protected nextRow(): number {
    if (this.#length === this.#capacity) {
      this.#capacity *= 2;
      this.grow(this.#capacity);
    }
    this.#length += 1;
    return this.#length - 1;
  }

  protected abstract grow(capacity: number): void;
}

export class PrintTable extends Table {
  readonly #symbol: Ticker;
  #at = new Float64Array(1_024);
  #price = new Float64Array(1_024);
  #size = new Uint32Array(1_024);
  #exchange = new Uint16Array(1_024);
  #conditions = new Uint16Array(1_024);
  readonly #exchanges = new Words<string>((word) => word);
  readonly #conditionSets = new Words<readonly string[]>((word) => (word === '' ? [] : word.split('\n')));
  /** Ids only where the file has them. */
  readonly #ids = new Map<number, string>();

  constructor(symbol: Ticker) {
    super();
    this.#symbol = symbol;
  }

  push(print: Print): void {
    const row = this.nextRow();
    this.#at[row] = print.at;
    this.#price[row] = print.price;
    this.#size[row] = print.size;
    this.#exchange[row] = this.#exchanges.indexOf(print.exchange);
    this.#conditions[row] = this.#conditionSets.indexOf(print.conditions.join('\n'));
    if (print.id !== '') this.#ids.set(row, print.id);
  }

  /** A print without an id is numbered by its place in the day: ids on the wire are numbers. */
  item(row: number): Print {
    return {
      symbol: this.#symbol,
      at: this.#at[row] as Micros,
      price: this.#price[row] as Price,
      size: this.#size[row] ?? 0,
      exchange: this.#exchanges.at(this.#exchange[row] ?? 0),
      conditions: this.#conditionSets.at(this.#conditions[row] ?? 0),
      id: this.#ids.get(row) ?? String(row + 1),
    };
  }

  protected override grow(capacity: number): void {
    this.#at = enlarged(this.#at, new Float64Array(capacity));
    this.#price = enlarged(this.#price, new Float64Array(capacity));
    this.#size = enlarged(this.#size, new Uint32Array(capacity));
    this.#exchange = enlarged(this.#exchange, new Uint16Array(capacity));
    this.#conditions = enlarged(this.#conditions, new Uint16Array(capacity));
  }
}

export class QuoteTable extends Table {
  readonly #symbol: Ticker;
  #at = new Float64Array(1_024);
  #bid = new Float64Array(1_024);
  #ask = new Float64Array(1_024);
  #bidSize = new Uint32Array(1_024);
  #askSize = new Uint32Array(1_024);

  constructor(symbol: Ticker) {
    super();
    this.#symbol = symbol;
  }

  push(quote: Quote): void {
    const row = this.nextRow();
    this.#at[row] = quote.at;
    this.#bid[row] = quote.bid;
    this.#ask[row] = quote.ask;
    this.#bidSize[row] = quote.bidSize;
    this.#askSize[row] = quote.askSize;
  }

  item(row: number): Quote {
    return {
      symbol: this.#symbol,
      at: this.#at[row] as Micros,
      bid: this.#bid[row] as Price,
      bidSize: this.#bidSize[row] ?? 0,
      ask: this.#ask[row] as Price,
      askSize: this.#askSize[row] ?? 0,
    };
  }

  protected override grow(capacity: number): void {
    this.#at = enlarged(this.#at, new Float64Array(capacity));
    this.#bid = enlarged(this.#bid, new Float64Array(capacity));
    this.#ask = enlarged(this.#ask, new Float64Array(capacity));
    this.#bidSize = enlarged(this.#bidSize, new Uint32Array(capacity));
    this.#askSize = enlarged(this.#askSize, new Uint32Array(capacity));
  }
}

function enlarged<T extends Column>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** The few different words of a column, numbered. */
class Words<T> {
  readonly #index = new Map<string, number>();
  readonly #values: T[] = [];
  readonly #read: (word: string) => T;

  constructor(read: (word: string) => T) {
    this.#read = read;
  }

  indexOf(word: string): number {
    const known = this.#index.get(word);
    if (known !== undefined) return known;
    const index = this.#values.push(this.#read(word)) - 1;
    this.#index.set(word, index);
    return index;
  }

  at(index: number): T {
    return this.#values[index] as T;
  }
}
