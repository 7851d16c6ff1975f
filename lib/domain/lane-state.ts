import type { ClientOrderId, Ticker } from './ids.ts';
import type { EntryGate, ExitKind, LaneParams, TradingMode } from './lane-types.ts';
import type { Cash, Price, Qty } from './money.ts';
import { isLive, type Order } from './order.ts';
import { type Position, sharesOf } from './position.ts';
import type { SessionPlan } from './session.ts';
import type { Micros } from './time.ts';

/**
 * One symbol's machine as plain data: it survives JSON and structured cloning, and is handed to another thread after a
 * crash.
 *
 * 1. At most one order of the lane may be live, the stage's. Every other order of the session is in `past`; one that proves
 *    alive after all is among the `strays`: it is canceled, and nothing is sent before it is over.
 * 2. A sell never exceeds the shares that the lane's own fills add up to.
 * 3. Nothing is sent while an order is `closing`.
 * 4. What should happen next follows from this state and the instant alone, never from which event came last.
 */
export type Lane = {
  readonly params: LaneParams;
  /** `null` before the first session is known: then nothing is sent. */
  readonly plan: SessionPlan | null;
  readonly mode: TradingMode;
  readonly gate: EntryGate;
  readonly trading: Trading;
  readonly stage: Stage;
  /** The current round trip's shares; `FLAT` between round trips. */
  readonly position: Position;
  /** What belongs to the shares held; `null` while none are. */
  readonly holding: Holding | null;
  /** Orders of the session that are over, oldest first: late reports on them still count. Grows all day; no step goes over it. */
  readonly past: readonly Order[];
  /** Earlier orders that are not over: live, or closing. */
  readonly strays: readonly Order[];
  /**
   * The last intent's numbers. Every intent takes the next sequence and attempt 0; only a sell that follows one which
   * provably never arrived (`resend`) keeps the sequence and takes the next attempt.
   */
  readonly lastKey: { readonly sequence: number; readonly attempt: number; readonly resend: boolean };
  readonly day: DayCount;
  /** The latest instant seen. Time never goes back for a lane. */
  readonly at: Micros;
};

/** `freshFrom`: an average may be trusted again on bars that began at or after it; see rule 8 on halts. */
export type Trading =
  | { readonly kind: 'trading'; readonly freshFrom: Micros | null }
  | { readonly kind: 'halted'; readonly since: Micros };

export type Stage =
  | { readonly kind: 'flat' }
  /** `patienceFrom`: the instant patience counts from; a halt moves it. */
  | { readonly kind: 'entering'; readonly order: Order; readonly patienceFrom: Micros }
  /** A limit sell rests. */
  | { readonly kind: 'exiting'; readonly order: Order }
  /** The resting sell was told to go; what comes after is decided when it has ended. */
  | { readonly kind: 'clearing'; readonly order: Order }
  /** A market sell is out; it should fill at once, and is an alarm at `alarmAt`; `null` once that was told. */
  | { readonly kind: 'liquidating'; readonly order: Order; readonly alarmAt: Micros | null }
  /** Shares, and no order: a sell goes out at `retryAt`, earlier only when it is a more urgent kind than `tried`. */
  | { readonly kind: 'exposed'; readonly retryAt: Micros; readonly tried: Urgency | null };

/** Kinds of sells by rising urgency. */
export type Urgency = 'exit' | 'bailOut' | 'flatten';

export type Holding = {
  /** First fill of the round trip. */
  readonly openedAt: Micros;
  /** The instant the holding time counts from; a halt moves it. */
  readonly holdFrom: Micros;
  readonly entryMark: Price | null;
  /** The most urgent kind of sell that filled, and the mark it was decided on; `null` before the first. */
  readonly exit: { readonly kind: ExitKind; readonly mark: Price | null } | null;
  /** Sells in a row that ended without a fill. */
  readonly failures: number;
  /** What the last refusal said may be sold: the next sell takes no more. `null`: nothing was said, or it was tried. */
  readonly sellable: Qty | null;
  /** Sells refused because an order of others on the other side would be met: such a bid lets no market sell through. */
  readonly opposed: number;
};

/** Counts of one session. */
export type DayCount = {
  readonly entries: number;
  readonly lossesInRow: number;
  /** Cooling off until then. */
  readonly coolUntil: Micros | null;
  /** Profit of closed round trips, gross of fees. */
  readonly realized: Cash;
  readonly roundTrips: number;
  readonly closeAlarmed: boolean;
};

export const symbolOf = (lane: Lane): Ticker => lane.params.symbol;
/** Shares held; negative only after the broker reported more sold than bought. */
export const sharesHeld = (lane: Lane): number => sharesOf(lane.position);

/** The stage's order, whatever its state. */
export const stageOrder = (lane: Lane): Order | null => ('order' in lane.stage ? lane.stage.order : null);

/** Every order of the session, the stage's last. */
export const ordersOf = (lane: Lane): readonly Order[] => [...lane.past, ...currentOrders(lane)];

/** The strays, and the stage's order last. */
export function currentOrders(lane: Lane): readonly Order[] {
  const order = stageOrder(lane);
  return order === null ? lane.strays : [...lane.strays, order];
}

/** Orders that are not accounted for: live or closing. These are the ones to poll. */
export const unsettledOrders = (lane: Lane): readonly Order[] =>
  currentOrders(lane).filter((order) => order.kind !== 'done');

export const liveOrders = (lane: Lane): readonly Order[] => currentOrders(lane).filter(isLive);

export function findOrder(lane: Lane, id: ClientOrderId): Order | null {
  const isNamed = (order: Order): boolean => order.intent.clientOrderId === id;
  return currentOrders(lane).findLast(isNamed) ?? lane.past.findLast(isNamed) ?? null;
}
