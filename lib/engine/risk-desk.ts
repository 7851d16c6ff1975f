import { bookedQty } from '../domain/fills.ts';
import type { ClientOrderId, Ticker } from '../domain/ids.ts';
import type { OrderIntent } from '../domain/intent.ts';
import { type Lane, liveOrders, sharesHeld, unsettledOrders } from '../domain/lane.ts';
import type { LuldBand, Mark } from '../domain/market.ts';
import { type Cash, cash, ZERO_CASH } from '../domain/money.ts';
import { leavesQty, type Order } from '../domain/order.ts';
import { costOf, realizedOf } from '../domain/position.ts';
import type { LossLatch, RiskView } from '../domain/risk.ts';
import type { FlattenNeeds } from './flatten-plan.ts';

/**
 * The account as one: exposure, profit of the day and buying power over all lanes. Lanes do not race each other into
 * rejections, because every entry reserves its money here before it leaves.
 */
export type RiskDesk = {
  view(intent: OrderIntent, latches: Latches): RiskView;
  /** An entry was approved: its money is spoken for. */
  reserve(intent: OrderIntent): void;
  /** The entry is over without a share, or never left. */
  release(id: ClientOrderId): void;
  /** The account is being read; call the result with the broker's figure, or `null` when the read failed. */
  reading(): (buyingPower: Cash | null) => void;
  /** Profit of the day, realized and marked, gross of fees; `null` when a held symbol has no mark. */
  dayPnl(): Cash | null;
  grossExposure(): Cash | null;
  /** The same as far as it is known: shares without a mark count at their cost. */
  knownPnl(): Cash;
  flattenNeeds(isWaiting: (id: ClientOrderId) => boolean): FlattenNeeds;
};

export type Latches = { readonly loss: LossLatch; readonly killed: boolean };

export type RiskDeskDeps = {
  readonly lanes: () => readonly Lane[];
  readonly lane: (symbol: Ticker) => Lane;
  readonly mark: (symbol: Ticker) => Mark | null;
  readonly band: (symbol: Ticker) => LuldBand | null;
  readonly isHalted: (symbol: Ticker) => boolean;
};

/** What the desk needs of one lane. */
type Summary = {
  readonly symbol: Ticker;
  readonly shares: number;
  /** Realized by closed round trips and by the shares of this one that are sold. */
  readonly realized: number;
  readonly cost: number;
  readonly live: readonly Order[];
  /** Every buy that is not accounted for, with what it may still have cost or come to cost. */
  readonly buys: readonly { readonly id: ClientOrderId; readonly worth: number }[];
};

function summaryOf(lane: Lane): Summary {
  return {
    symbol: lane.params.symbol,
    shares: sharesHeld(lane),
    realized: lane.day.realized + realizedOf(lane.position),
    cost: costOf(lane.position),
    live: liveOrders(lane),
    buys: unsettledOrders(lane)
      .filter(({ intent }) => intent.side === 'buy')
      .map((order) => ({ id: order.intent.clientOrderId, worth: worthOf(order) })),
  };
}

const hasSomething = ({ shares, live, buys }: Summary): boolean =>
  shares !== 0 || live.length > 0 || buys.length > 0;

/**
 * All lanes, of which most have neither shares nor orders: only those that have are gone through. A lane never changes, it is
 * replaced: what is worked out of it holds for as long as it is in its place.
 */
function createSummaries(lanes: () => readonly Lane[]) {
  let seen: (Lane | undefined)[] = [];
  let known: Summary[] = [];
  const open = new Map<number, Summary>();
  let realized = 0;

  function replace(place: number, lane: Lane): void {
    realized -= known[place]?.realized ?? 0;
    const summary = summaryOf(lane);
    seen[place] = lane;
    known[place] = summary;
    realized += summary.realized;
    if (hasSomething(summary)) open.set(place, summary);
    else open.delete(place);
  }

  return {
    /** Those with shares or orders, and what all lanes together have realized. */
    look(): { readonly open: Iterable<Summary>; readonly realized: number } {
      const now = lanes();
      if (now.length < seen.length) {
        [seen, known, realized] = [[], [], 0];
        open.clear();
      }
      for (const [place, lane] of now.entries()) if (lane !== seen[place]) replace(place, lane);
      return { open: open.values(), realized };
    },
  };
}

/** What an open order may still cost; of one that has ended, what its missing fills have cost. */
function worthOf(order: Order): number {
  const { price, mark } = order.intent;
  const open = order.kind === 'closing' ? order.cumQty - bookedQty(order.ledger) : leavesQty(order);
  return open * (price.type === 'limit' ? price.limit : (mark?.price ?? 0));
}

export function createRiskDesk({ lanes, lane: laneOf, mark, band, isHalted }: RiskDeskDeps): RiskDesk {
  let buyingPower: Cash | null = null;
  /** Entries whose money the broker's figure does not know of yet. */
  const reserved = new Map<ClientOrderId, number>();
  const summaries = createSummaries(lanes);

  function exposure(except: ClientOrderId | null): Cash | null {
    let sum = 0;
    for (const { symbol, shares, buys } of summaries.look().open) {
      const at = shares === 0 ? null : mark(symbol);
      if (shares !== 0 && at === null) return null;
      sum += Math.abs(shares) * (at?.price ?? 0);
      for (const { id, worth } of buys) if (id !== except) sum += worth;
    }
    return cash(sum);
  }

  function profit(): { readonly known: Cash; readonly complete: boolean } {
    const { open, realized } = summaries.look();
    let sum = realized;
    let complete = true;
    for (const { symbol, shares, cost } of open) {
      if (shares === 0) continue;
      const at = mark(symbol);
      if (at === null) complete = false;
      else sum += shares * at.price - cost;
    }
    return { known: cash(sum), complete };
  }

  function dayPnl(): Cash | null {
    const { known, complete } = profit();
    return complete ? known : null;
  }

  function onSale(lane: Lane, except: ClientOrderId): number {
    return liveOrders(lane)
      .filter(({ intent }) => intent.side === 'sell' && intent.clientOrderId !== except)
      .reduce((sum, order) => sum + leavesQty(order), 0);
  }

  const isWorking = (id: ClientOrderId): boolean => {
    for (const { live } of summaries.look().open)
      for (const order of live) if (order.intent.clientOrderId === id) return order.kind === 'working';
    return true;
  };

  return {
    view(intent, { loss, killed }) {
      const lane = laneOf(intent.symbol);
      // Exits are judged by their own lane alone, and are on the fast path.
      const isEntry = intent.side === 'buy';
      const spoken = [...reserved.values()].reduce((sum, amount) => sum + amount, 0);
      return {
        sharesHeld: sharesHeld(lane),
        sharesOnSale: onSale(lane, intent.clientOrderId),
        mark: mark(intent.symbol)?.price ?? null,
        grossExposure: isEntry ? exposure(intent.clientOrderId) : null,
        buyingPower,
        reserved: spoken === 0 ? ZERO_CASH : cash(spoken),
        dayPnl: isEntry ? dayPnl() : null,
        lossLatch: loss,
        killed,
        band: isEntry ? band(intent.symbol) : null,
      };
    },
    reserve({ clientOrderId, price, qty }) {
      if (price.type === 'limit') reserved.set(clientOrderId, price.limit * qty);
    },
    release(id) {
      reserved.delete(id);
    },
    reading() {
      // What was reserved before the question was sent is in the answer, unless the order was still on its way.
      const known = [...reserved.keys()].filter(isWorking);
      return (figure) => {
        if (figure === null) return;
        buyingPower = figure;
        for (const id of known) reserved.delete(id);
      };
    },
    flattenNeeds(isWaiting) {
      const needs = { cancels: 0, canceling: 0, sells: 0, selling: 0, stuck: 0 };
      for (const { symbol, shares, live, buys } of summaries.look().open) {
        let selling = 0;
        for (const order of live) {
          const { side, price, clientOrderId } = order.intent;
          if (order.kind === 'canceling') needs.canceling += 1;
          else if (side === 'sell' && price.type === 'market') selling += leavesQty(order);
          else if (!isWaiting(clientOrderId)) needs.cancels += 1;
        }
        if (selling > 0) needs.selling += 1;
        if (shares <= selling && buys.length === 0) continue;
        if (isHalted(symbol)) needs.stuck += 1;
        else needs.sells += 1;
      }
      return needs;
    },
    dayPnl,
    knownPnl: () => profit().known,
    grossExposure: () => exposure(null),
  };
}
