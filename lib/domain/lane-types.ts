import type { ExecutionReport } from './execution.ts';
import type { ClientOrderId, Ticker } from './ids.ts';
import type { OrderIntent } from './intent.ts';
import type { Bar, HaltState, Mark } from './market.ts';
import type { Cash, Price, Qty } from './money.ts';
import type { SessionPlan } from './session.ts';
import type { Duration, Micros } from './time.ts';

/** The settings one lane trades by. */
export type LaneParams = {
  readonly symbol: Ticker;
  /** Dollar lot of one entry. */
  readonly lot: Cash;
  readonly entryPatience: Duration;
  /** How long an entry may wait in the gateway's queue before it is too old to be sent. */
  readonly entryQueueMax: Duration;
  readonly lastTradeMaxAge: Duration;
  readonly exitMarkup: Price;
  readonly holdMax: Duration;
  /** First pause after a refused or ended exit; doubles up to `exitRetryMax`, for as long as shares are held. */
  readonly exitRetryFirst: Duration;
  readonly exitRetryMax: Duration;
  /** How long a requested cancel may stay unanswered before it is requested again. */
  readonly cancelRetry: Duration;
  /** Entries per session; consecutive losing round trips after which the lane cools off, and for how long. */
  readonly entriesMax: number;
  readonly lossesMax: number;
  readonly coolOff: Duration;
};

/** Why an entry did not happen: stable codes for the log and the operator. */
export type EntryRefusal =
  | 'noMark' // no last trade known
  | 'staleMark' // last trade older than `lastTradeMaxAge`
  | 'zeroShares' // lot smaller than a share
  | 'halted' // trading halt or LULD pause
  | 'afterCutoff' // past the entry cutoff
  | 'beforeOpen'
  | 'tradeFeedDown' // trade-updates socket not live
  | 'dataFeedDown'
  | 'overloaded' // more market data arrive than can be taken
  | 'busy' // an order or a position is already there
  | 'paused' // by the operator
  | 'exitOnly' // by discrepancy, crash loop or kill
  | 'entriesMax'
  | 'coolingOff'
  | 'backfilled' // the bar came late: it feeds the average only
  | 'stale'; // the average is not fresh after a halt

/** Whether a lane may open positions. `gate` names come from the engine and are stable codes as well. */
export type EntryGate = { readonly kind: 'open' } | { readonly kind: 'shut'; readonly code: EntryRefusal };

/**
 * `active` trades; `paused` opens nothing and exits as always; `exitOnly` likewise, and only the operator or a clean
 * reconciliation lifts it; `flattening` gets out now and opens nothing; `halted` is exit-only as well: the symbol has shares
 * or orders that are not ours, which are left alone. Shares of the lane's own have their exit in every mode.
 */
export type TradingMode = 'active' | 'paused' | 'exitOnly' | 'flattening' | 'halted';

/** What becomes of a submit, as far as it is proven. An unknown outcome is no event: the order just stays in flight. */
export type SubmitVerdict =
  | { readonly kind: 'accepted' }
  /** By our risk check or the gateway's queue: never left the house. */
  | { readonly kind: 'denied'; readonly code: string; readonly text: string }
  | { readonly kind: 'expired' }
  /**
   * By the broker, proven. `heldByOthers`: shares are held by orders that are not ours. `washTrade`: an order on the other
   * side would be met. `available`: so many the answer said may be sold; `null` when it did not say.
   */
  | {
      readonly kind: 'rejected';
      readonly code: string;
      readonly text: string;
      readonly available: Qty | null;
    }
  /** Looked up until it was certain that the broker never got it. */
  | { readonly kind: 'absent' };

/** Everything that can happen to a lane. Each event brings its own instant and the mark of that instant. */
export type LaneEvent = { readonly at: Micros; readonly mark: Mark | null } & (
  | { readonly kind: 'sessionOpened'; readonly plan: SessionPlan }
  /** A completed minute bar of the regular session; `signal` is the strategy's word on it. */
  | {
      readonly kind: 'barClosed';
      readonly bar: Bar;
      readonly origin: 'live' | 'backfilled';
      readonly signal: 'enter' | 'none';
    }
  | { readonly kind: 'reported'; readonly report: ExecutionReport }
  | { readonly kind: 'submitSettled'; readonly clientOrderId: ClientOrderId; readonly verdict: SubmitVerdict }
  /** Our own order was replaced by somebody's hand and lives on under another id. */
  | {
      readonly kind: 'succeeded';
      readonly clientOrderId: ClientOrderId;
      readonly successor: OrderIntent;
      readonly carried: Carried;
    }
  /** The instant `nextWakeAt` asked for has come. */
  | { readonly kind: 'woke' }
  | { readonly kind: 'haltChanged'; readonly halt: HaltState }
  | { readonly kind: 'gateChanged'; readonly gate: EntryGate }
  | { readonly kind: 'modeChanged'; readonly mode: TradingMode; readonly by: string }
  /** Reconciliation proved shares ours that the lane does not hold yet (restart without a journal, adoption). */
  | { readonly kind: 'adopted'; readonly qty: Qty; readonly averagePx: Price; readonly heldSince: Micros }
  /** The opposite: shares the lane holds were proven gone by somebody else's hand, at `averagePx` as far as known. */
  | { readonly kind: 'released'; readonly qty: Qty; readonly averagePx: Price }
  /** Settings changed while running; decisions from here on follow them. */
  | { readonly kind: 'paramsChanged'; readonly params: LaneParams }
);

/** What the successor of a replaced order counts as filled although its predecessor filled it: booked there, not again. */
export type Carried = { readonly qty: Qty; readonly notional: Cash };

export type ExitKind = 'limit' | 'bailOut' | 'flatten';

/** One closed round trip, gross of fees. */
export type RoundTrip = {
  readonly symbol: Ticker;
  readonly openedAt: Micros;
  readonly closedAt: Micros;
  readonly qty: Qty;
  readonly cost: Cash;
  readonly proceeds: Cash;
  readonly exitKind: ExitKind;
  /** The mark when the entry and the exit were decided: what slippage is measured from. */
  readonly entryMark: Price | null;
  readonly exitMark: Price | null;
};

/** What a lane wants done, as plain data; the runner hands it on. */
export type LaneCommand =
  | { readonly kind: 'submit'; readonly intent: OrderIntent }
  | {
      readonly kind: 'cancel';
      readonly clientOrderId: ClientOrderId;
      /** `safety`: it could sell more than the lane holds, or should not be alive at all. */
      readonly purpose: 'patience' | 'bailOut' | 'flatten' | 'entryStop' | 'safety';
    }
  /** A signal that was not acted on, with its reason. */
  | { readonly kind: 'entryRefused'; readonly code: EntryRefusal; readonly detail: string }
  | { readonly kind: 'roundTripClosed'; readonly trip: RoundTrip }
  /** Something an operator must see; `code` is stable. */
  | { readonly kind: 'alarm'; readonly code: string; readonly detail: string };
