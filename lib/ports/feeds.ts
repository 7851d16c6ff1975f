import type { ExecutionReport } from '../domain/execution.ts';
import type { Ticker } from '../domain/ids.ts';
import type { Bar, LuldBand, Print, Quote, TradingStatus } from '../domain/market.ts';
import type { Price } from '../domain/money.ts';
import type { Micros } from '../domain/time.ts';

/** What the data socket brings, decoded. */
export type MarketMessage =
  | { readonly kind: 'print'; readonly print: Print }
  | { readonly kind: 'quote'; readonly quote: Quote }
  | { readonly kind: 'bar'; readonly bar: Bar }
  | { readonly kind: 'updatedBar'; readonly bar: Bar }
  | { readonly kind: 'status'; readonly status: TradingStatus }
  | { readonly kind: 'luld'; readonly band: LuldBand };

/**
 * Where a connection stands, for gating and for people. `live` means: authenticated, and every wanted subscription
 * confirmed. `slotTaken` is Alpaca's 406: another session holds the one slot.
 */
export type FeedState =
  | 'connecting'
  | 'authenticating'
  | 'subscribing'
  | 'live'
  | 'waiting'
  | 'slotTaken'
  | 'refused'
  | 'closed';

export type FeedStatus = {
  readonly state: FeedState;
  /** One line for people: what is being waited for, or what was refused. */
  readonly detail: string;
  /** With `live`: wanted symbols that the server refused to subscribe (plan limit); nothing will come for them. */
  readonly missing?: readonly string[];
};

export type FeedEvents = {
  /** Every change of state. A feed that was live and is live again has a gap: fill it before anyone decides. */
  onStatus(status: FeedStatus): void;
};

/** The quick way for prints: no object and no look-up for each. What a `Line` is, the taker alone knows. */
export type PrintTaker<Line extends object> = {
  /** Asked at the first print of a symbol; `null` where its prints are not wanted. */
  lineOf(symbol: Ticker): Line | null;
  take(line: Line, price: Price, at: Micros, isEligible: boolean): void;
  /** What had arrived is taken, for now: of each symbol's prints since the last call the newest may be handed on. */
  turnOver(): void;
};

export type DataFeedEvents = FeedEvents & {
  onMessage(message: MarketMessage): void;
  /** Takes prints the quick way; a feed that has no use for it (one in virtual time) calls `onMessage` instead. */
  readonly prints?: PrintTaker<object>;
  /** Whether more had arrived than one turn may take. Told when it changes, and never by a feed in virtual time. */
  onBehind?(isBehind: boolean): void;
  /**
   * Asked by the watch over a silent feed: since when data are due at `at` (the open of the session, the resume of the last
   * halted symbol), `null` while none are: outside the session, or with every symbol halted.
   */
  dueSince(at: Micros): Micros | null;
};
export type TradeFeedEvents = FeedEvents & {
  /** `heardAt`: when its frame came, by the stopwatch. */
  onReport(report: ExecutionReport, heardAt: number): void;
  /** A frame about an order that could not be read in full: fetch that order. */
  onUnreadable(what: string): void;
};

/** A socket that keeps itself connected until closed. */
export type Feed = {
  start(): void;
  /** Sends a close frame and resolves when the socket is gone, or after its deadline. */
  close(): Promise<void>;
};

export type OpenDataFeed = (symbols: readonly Ticker[], events: DataFeedEvents) => Feed;
export type OpenTradeFeed = (events: TradeFeedEvents) => Feed;
