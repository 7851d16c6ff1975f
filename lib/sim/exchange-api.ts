import type { Side } from '../domain/execution.ts';
import type { BrokerOrderId, ExecutionId, Ticker } from '../domain/ids.ts';
import type { Bar, LuldBand, Print, Quote, TradingStatus } from '../domain/market.ts';
import type { Cash, Price } from '../domain/money.ts';
import type { Session } from '../domain/session.ts';
import type { Micros, SessionDay } from '../domain/time.ts';
import type { OrderRequest, OrdersQuery, ReplaceRequest, SimOrder, SimOrderType } from './order-types.ts';

/**
 * The embedded exchange as direct calls: a deterministic state machine on virtual time. It knows no JSON, no sockets,
 * no wall clock; the loopback doors put Alpaca's wire format in front of this same object, the backtester and the
 * simulation tests call it as it stands.
 *
 * 1. Time moves only by `advanceTo`; everything due is played in time order, ties in a fixed order.
 * 2. Equal options and equal calls at equal instants give equal histories, ids included.
 * 3. A request is answered at once by `Answer`; what follows from it (acks, fills, cancels) comes later as
 *    `TradeUpdate`s, after the configured latency, even where the outcome is already certain.
 */
export type Exchange = {
  readonly options: ExchangeOptions;
  now(): Micros;
  /** The next instant at which something happens by itself (tape, latency, session), or `null` when nothing is left. */
  nextEventAt(): Micros | null;
  /** Plays everything due up to and including `at`; never goes back. */
  advanceTo(at: Micros): void;

  submitOrder(request: OrderRequest): Answer<SimOrder>;
  replaceOrder(id: BrokerOrderId, changes: ReplaceRequest): Answer<SimOrder>;
  /** 204 at Alpaca: the cancel was requested. */
  cancelOrder(id: BrokerOrderId): Answer<null>;
  cancelAllOrders(): readonly { readonly id: BrokerOrderId; readonly answer: Answer<null> }[];
  order(id: BrokerOrderId): Answer<SimOrder>;
  orderByClientOrderId(id: string): Answer<SimOrder>;
  orders(query: OrdersQuery): Answer<readonly SimOrder[]>;

  positions(): readonly SimPosition[];
  position(symbol: string): Answer<SimPosition>;
  /** Submits the market order that closes `shares` of it (all when `null`). */
  closePosition(
    symbol: string,
    part: { readonly qty: string } | { readonly percentage: string } | null,
  ): Answer<SimOrder>;
  closeAllPositions(
    cancelOrders: boolean,
  ): readonly { readonly symbol: Ticker; readonly answer: Answer<SimOrder> }[];

  account(): SimAccount;
  configurations(): SimConfigurations;
  configure(changes: Partial<SimConfigurations>): SimConfigurations;
  fills(): readonly SimFill[];

  clock(): SimClock;
  /** Trading sessions from `from` to `to`, both included. */
  calendar(from: SessionDay, to: SessionDay): readonly Session[];
  assets(): readonly SimAsset[];
  asset(symbolOrId: string): Answer<SimAsset>;

  /** Complete minute bars, prints and quotes played so far, in time order, `from` and `to` included. */
  bars(symbol: Ticker, from: Micros, to: Micros): readonly Bar[];
  prints(symbol: Ticker, from: Micros, to: Micros): readonly Print[];
  quotes(symbol: Ticker, from: Micros, to: Micros): readonly Quote[];
  latestPrint(symbol: Ticker): Print | null;
  latestQuote(symbol: Ticker): Quote | null;
  dailyBar(symbol: Ticker): Bar | null;
  previousDailyBar(symbol: Ticker): Bar | null;

  /** Listeners are called synchronously inside `advanceTo`, in the order they were added. */
  onTradeUpdate(listener: (update: TradeUpdate) => void): () => void;
  onMarketEvent(listener: (event: MarketEvent) => void): () => void;

  /** Operator actions and scripted situations: what a human, the venue or a test does to the market or the account. */
  act(action: ExchangeAction): void;
  /** The exchange's own books, for judges: every order, every fill, every share, whatever clients were told. */
  ledger(): Ledger;
};

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly status: number;
      readonly code: number;
      readonly message: string;
      readonly extra: Readonly<Record<string, unknown>>;
    };

export type * from './order-types.ts';

export type TradeUpdateEvent =
  | 'accepted'
  | 'pending_new'
  | 'new'
  | 'partial_fill'
  | 'fill'
  | 'canceled'
  | 'expired'
  | 'done_for_day'
  | 'replaced'
  | 'rejected'
  | 'pending_cancel'
  | 'pending_replace'
  | 'order_cancel_rejected'
  | 'order_replace_rejected'
  | 'stopped'
  | 'suspended'
  | 'calculated'
  | 'held';

export type TradeUpdate = {
  readonly event: TradeUpdateEvent;
  readonly at: Micros;
  readonly executionId: ExecutionId | null;
  /** This execution, on `fill` and `partial_fill`. */
  readonly execution: { readonly qty: number; readonly price: Price; readonly positionQty: number } | null;
  /** The order as it stands after the event. */
  readonly order: SimOrder;
};

export type MarketEvent =
  | { readonly kind: 'print'; readonly print: Print }
  | { readonly kind: 'quote'; readonly quote: Quote }
  | { readonly kind: 'bar'; readonly bar: Bar }
  | { readonly kind: 'updatedBar'; readonly bar: Bar }
  | { readonly kind: 'dailyBar'; readonly bar: Bar }
  | { readonly kind: 'status'; readonly status: TradingStatus }
  | { readonly kind: 'luld'; readonly band: LuldBand };

export type SimFill = {
  readonly executionId: ExecutionId;
  readonly orderId: BrokerOrderId;
  readonly clientOrderId: string;
  readonly symbol: Ticker;
  readonly side: Side;
  readonly type: 'fill' | 'partial_fill';
  readonly qty: number;
  readonly price: Price;
  readonly cumQty: number;
  readonly leavesQty: number;
  readonly fees: Cash;
  readonly at: Micros;
};

export type SimPosition = {
  readonly symbol: Ticker;
  readonly assetId: string;
  readonly exchange: string;
  /** Signed. */
  readonly qty: number;
  readonly available: number;
  /** Cost of what is held, 1/10000 USD; negative when short. */
  readonly cost: number;
  readonly averagePrice: Price;
  readonly currentPrice: Price;
  readonly lastDayPrice: Price;
};

export type SimAccount = {
  readonly id: string;
  readonly number: string;
  readonly cash: Cash;
  readonly equity: Cash;
  readonly lastEquity: Cash;
  readonly longMarketValue: Cash;
  readonly shortMarketValue: Cash;
  readonly buyingPower: Cash;
  readonly initialMargin: Cash;
  readonly maintenanceMargin: Cash;
  readonly multiplier: 1 | 2 | 4;
  readonly accruedFees: Cash;
  readonly createdAt: Micros;
};

export type SimConfigurations = {
  readonly suspendTrade: boolean;
  readonly noShorting: boolean;
  readonly fractionalTrading: boolean;
  readonly maxMarginMultiplier: 1 | 2 | 4;
  readonly tradeConfirmEmail: 'all' | 'none';
  readonly disableOvernightTrading: boolean;
  readonly ptpNoExceptionEntry: boolean;
  readonly maxOptionsTradingLevel: number;
};

export type SimClock = {
  readonly at: Micros;
  readonly isOpen: boolean;
  readonly nextOpenAt: Micros;
  readonly nextCloseAt: Micros;
};

export type SimAsset = {
  readonly id: string;
  readonly symbol: Ticker;
  readonly name: string;
  readonly exchange: 'NYSE' | 'NASDAQ' | 'ARCA';
  readonly tradable: boolean;
  readonly shortable: boolean;
  readonly marginable: boolean;
  readonly fractionable: boolean;
};

/** One item of a tape, in time order; what the market did whatever we do. */
export type TapeItem =
  | { readonly kind: 'print'; readonly at: Micros; readonly print: Print }
  | { readonly kind: 'quote'; readonly at: Micros; readonly quote: Quote }
  /** A recorded bar, due at the end of its minute; without prints inside the minute they are drawn from the seed. */
  | { readonly kind: 'bar'; readonly at: Micros; readonly bar: Bar }
  | { readonly kind: 'updatedBar'; readonly at: Micros; readonly bar: Bar }
  | { readonly kind: 'status'; readonly at: Micros; readonly status: TradingStatus }
  | { readonly kind: 'luld'; readonly at: Micros; readonly band: LuldBand };

/** A market as a pull source: the exchange asks for the next item when it needs it, so a day is never held in memory. */
export type Tape = {
  readonly symbols: readonly Ticker[];
  /** The next item without taking it, or `null` at the end. */
  peek(): TapeItem | null;
  take(): TapeItem | null;
  /** True when every minute that has a bar has its prints too: nothing needs to be drawn from the seed. */
  readonly complete?: boolean;
  /** Close of the day before, by symbol, where known. */
  previousClose(symbol: Ticker): Price | null;
};

/** How requests on matching orders are treated, for scripted scenarios. First match wins; `times` bounds it. */
export type FillRule = {
  readonly match: { readonly side?: Side; readonly type?: SimOrderType; readonly symbol?: string };
  readonly model:
    | { readonly kind: 'never' }
    | { readonly kind: 'reject'; readonly delay: number }
    /** Fills in `pieces` equal parts `delay` micros apart, only the first `only` of them (all when `null`). */
    | {
        readonly kind: 'partial';
        readonly pieces: number;
        readonly only: number | null;
        readonly delay: number;
      }
    /** The cancel is answered 204, then the order fills in full. */
    | { readonly kind: 'cancelRace' }
    /** The first cancel is answered 204, then refused (`order_cancel_rejected`); the order rests on and fills as usual. */
    | { readonly kind: 'cancelRefused' };
  readonly times: number | null;
};

export type ExchangeOptions = {
  /** Drives ids, drawn prints, random partial fills and fees' rounding; equal seeds, equal days. */
  readonly seed: number;
  readonly startAt: Micros;
  /** Sessions the exchange knows, in order; they answer the calendar and the clock. */
  readonly sessions: readonly Session[];
  readonly account: { readonly cash: Cash; readonly multiplier: 1 | 2 | 4; readonly shorting: boolean };
  /** Micros from request to book, and from book to the client's stream. */
  readonly latencyIn: number;
  readonly latencyOut: number;
  /** Share of eligible fills that are cut to a random part (paper trading: 0.1), 0 to 1. */
  readonly partialFillShare: number;
  /** Shares assumed ahead of a resting limit at its price when no quote says so. */
  readonly queueAhead: number;
  readonly fees: FeeSchedule;
  /** `reject` is today's rule; `tolerant` rounds to the tick as the broker of 2020 did (parity scenarios). */
  readonly subPenny: 'reject' | 'tolerant';
  /** `tape`: a resting or marketable order fills at its limit or better on the tape's liquidity. `print`: the simple rule of the parity scenarios, fill in full on the next print at or through the limit, 0 latency. */
  readonly fillModel: 'tape' | 'print';
  readonly oversell: 'reject' | 'allow';
  readonly fillRules: readonly FillRule[];
  /** Whether opposite orders of one account are refused; `reject` when absent. */
  readonly washTrades?: 'reject' | 'allow';
  /** Micros from the end of a minute to its bar; 0 when absent. Live bars come about half a second late. */
  readonly barDelay?: number;
  /** Whether `bars` ends with the running minute's bar, as some history endpoints do. */
  readonly formingBar?: boolean;
  /** How an unfilled day order ends at the close; Alpaca's sources name both. `expired` when absent. */
  readonly dayOrderEnd?: 'expired' | 'canceled';
  /** Whether a cancel sent outside the session stays `pending_cancel`, its shares held, until the next open. */
  readonly cancelsWaitForOpen?: boolean;
  /** Micros by which the positions endpoints trail the fills; not at all when absent. Alpaca's have been seen 10 s behind. */
  readonly positionsLag?: number;
  /** Prints and quotes kept per symbol, at least; 250 of each when absent. */
  readonly historyPerSymbol?: number;
};

/** Sell-side regulatory fees. Rates are data because they change; see `fees.ts` for the sources. */
export type FeeSchedule = {
  /** SEC section 31, USD per million USD sold. */
  readonly secPerMillionUsd: number;
  /** FINRA TAF, USD per share sold, and its cap per trade. */
  readonly tafPerShareUsd: number;
  readonly tafMaxUsd: number;
};

export type ExchangeAction =
  | {
      readonly kind: 'setPosition';
      readonly symbol: Ticker;
      readonly qty: number;
      readonly averagePrice: Price;
    }
  /** An order by another hand: a person on the dashboard, another program. */
  | { readonly kind: 'foreignOrder'; readonly request: OrderRequest }
  | { readonly kind: 'cancelByHand'; readonly match: { readonly side?: Side; readonly symbol?: string } }
  | {
      readonly kind: 'replaceByHand';
      readonly match: { readonly side?: Side; readonly symbol?: string };
      readonly changes: ReplaceRequest;
    }
  /** The venue ends an order by itself. */
  | {
      readonly kind: 'endOrder';
      readonly id: BrokerOrderId;
      readonly how: 'expired' | 'done_for_day' | 'canceled' | 'rejected' | 'suspended';
    }
  | { readonly kind: 'halt'; readonly symbol: Ticker; readonly code: string; readonly reason: string }
  | { readonly kind: 'resume'; readonly symbol: Ticker };

export type Ledger = {
  readonly orders: readonly SimOrder[];
  readonly fills: readonly SimFill[];
  readonly positions: ReadonlyMap<Ticker, number>;
  readonly cash: Cash;
  readonly feesPaid: Cash;
};
