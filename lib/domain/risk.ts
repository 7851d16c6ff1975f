import type { Approved, OrderIntent } from './intent.ts';
import type { LuldBand } from './market.ts';
import { type Cash, cash, formatDecimal, isOnTick, notional, type Price, UNITS_PER_USD } from './money.ts';
import type { Micros } from './time.ts';

/** Account-wide limits on entries. Exits are never held back by them. */
export type RiskLimits = {
  readonly sharesPerOrderMax: number;
  readonly notionalPerOrderMax: Cash;
  /** How far a limit may lie from the last trade, in 1/100 percent of it. */
  readonly collarBps: number;
  /** Value of all positions plus all open buys, over all lanes. */
  readonly grossExposureMax: Cash;
  /** Loss of the day, realized and marked, at which everything is flattened. */
  readonly dailyLossMax: Cash;
};

export const DEFAULT_RISK_LIMITS: RiskLimits = {
  sharesPerOrderMax: 10_000,
  notionalPerOrderMax: cash(25_000 * UNITS_PER_USD),
  collarBps: 100,
  grossExposureMax: cash(100_000 * UNITS_PER_USD),
  dailyLossMax: cash(1_000 * UNITS_PER_USD),
};

/** What the gateway knows when it judges an intent. `null` is "not known", and what is not known denies. */
export type RiskView = {
  /** Shares the intent's lane holds by its own fills. */
  readonly sharesHeld: number | null;
  /** Shares of that lane that open sells may still take. */
  readonly sharesOnSale: number | null;
  /** The last trade now. */
  readonly mark: Price | null;
  /** Value of all positions of all lanes at their marks plus what open buys may still add. */
  readonly grossExposure: Cash | null;
  /** The broker's figure, and what our own entries in flight have reserved of it since it was read. */
  readonly buyingPower: Cash | null;
  readonly reserved: Cash;
  /** Profit of the day over all lanes, realized and marked. */
  readonly dayPnl: Cash | null;
  readonly lossLatch: LossLatch;
  /** The operator's kill switch. */
  readonly killed: boolean;
  /** The LULD bands in force; `null` when none were told: most tapes tell none, so that denies nothing. */
  readonly band: LuldBand | null;
};

/** Stable codes: each names the limit that said no. */
export type DenialCode =
  | 'malformed'
  | 'killed'
  | 'dailyLoss'
  | 'dayPnlUnknown'
  | 'sharesPerOrder'
  | 'notionalPerOrder'
  | 'markUnknown'
  | 'collar'
  | 'luld'
  | 'grossExposure'
  | 'grossExposureUnknown'
  | 'buyingPower'
  | 'buyingPowerUnknown'
  | 'oversell'
  | 'positionUnknown';

export type RiskVerdict =
  | { readonly kind: 'approved'; readonly intent: Approved<OrderIntent> }
  | { readonly kind: 'denied'; readonly code: DenialCode; readonly text: string };

/** Latches when the loss of the day is reached; only an operator clears it. */
export type LossLatch =
  | { readonly kind: 'armed' }
  | { readonly kind: 'latched'; readonly at: Micros; readonly dayPnl: Cash };

export function watchLoss(latch: LossLatch, limits: RiskLimits, dayPnl: Cash | null, at: Micros): LossLatch {
  if (latch.kind === 'latched' || !isKnown(dayPnl) || dayPnl > -limits.dailyLossMax) return latch;
  return { kind: 'latched', at, dayPnl };
}

/** What an intent may cost at most: its limit, or the last trade for a market order; `null` when that is not known. */
function costOfIntent({ price, qty }: OrderIntent, mark: Price | null): Cash | null {
  const each = price.type === 'limit' ? price.limit : mark;
  return each === null ? null : notional(each, qty);
}

/**
 * The only maker of `Approved` intents.
 *
 * 1. Everything: whole shares above 0, a limit above 0 and on the tick, buys enter and sells leave.
 * 2. Sells: never more than the lane holds less what its open sells may still take. Nothing else holds an exit back.
 * 3. Buys: every limit in turn. A number that is not known denies, and so does a limit that is no number: what must hold is
 *    asked, never what must not.
 */
export function checkIntent(intent: OrderIntent, limits: RiskLimits, view: RiskView): RiskVerdict {
  const denial =
    malformed(intent) ??
    (intent.side === 'sell'
      ? oversells(intent, view)
      : (shut(limits, view) ??
        tooLarge(intent, limits, view) ??
        offTheMarket(intent, limits, view) ??
        atTheBand(intent, view) ??
        tooMuch(intent, limits, view)));
  return denial ?? { kind: 'approved', intent: intent as Approved<OrderIntent> };
}

type Denial = Extract<RiskVerdict, { kind: 'denied' }>;
const deny = (code: DenialCode, text: string): Denial => ({ kind: 'denied', code, text });

function malformed({ side, purpose, qty, price }: OrderIntent): Denial | null {
  if (!Number.isSafeInteger(qty) || qty <= 0)
    return deny('malformed', `an order is for whole shares, at least one: ${qty}`);
  if (
    price.type === 'limit' &&
    !(Number.isSafeInteger(price.limit) && price.limit > 0 && isOnTick(price.limit))
  )
    return deny('malformed', `a limit is above 0 and on the tick: ${price.limit / UNITS_PER_USD}`);
  if ((side === 'buy') !== (purpose === 'entry'))
    return deny('malformed', `entries buy and exits sell: ${purpose} ${side}`);
  if (side === 'buy' && price.type === 'market') return deny('malformed', 'an entry has a limit: market');
  return null;
}

function oversells({ qty }: OrderIntent, { sharesHeld, sharesOnSale }: RiskView): Denial | null {
  if (!isKnown(sharesHeld) || !isKnown(sharesOnSale))
    return deny('positionUnknown', 'a sell needs to know the shares held and on sale: not known');
  const free = sharesHeld - sharesOnSale;
  return qty > free
    ? deny('oversell', `a sell is covered by shares of the lane: ${qty} of ${free} free (${sharesHeld} held)`)
    : null;
}

function shut(limits: RiskLimits, { killed, lossLatch, dayPnl }: RiskView): Denial | null {
  if (killed) return deny('killed', 'the kill switch is on');
  if (lossLatch.kind === 'latched')
    return deny('dailyLoss', `the loss of the day was reached: ${usd(lossLatch.dayPnl)}`);
  if (!isKnown(dayPnl)) return deny('dayPnlUnknown', 'entries need to know the profit of the day: not known');
  return dayPnl > -limits.dailyLossMax
    ? null
    : deny('dailyLoss', `the day may lose less than ${usd(limits.dailyLossMax)}: ${usd(dayPnl)}`);
}

function tooLarge(intent: OrderIntent, limits: RiskLimits, { mark }: RiskView): Denial | null {
  const { sharesPerOrderMax, notionalPerOrderMax } = limits;
  if (!isWithin(intent.qty, sharesPerOrderMax))
    return deny('sharesPerOrder', `an order has at most ${sharesPerOrderMax} shares: ${intent.qty}`);
  const cost = costOfIntent(intent, mark);
  if (!isKnown(cost)) return deny('markUnknown', 'the value of an order must be known: no last trade');
  return isWithin(cost, notionalPerOrderMax)
    ? null
    : deny('notionalPerOrder', `an order is worth at most ${usd(notionalPerOrderMax)}: ${usd(cost)}`);
}

function offTheMarket({ price }: OrderIntent, { collarBps }: RiskLimits, { mark }: RiskView): Denial | null {
  if (!isKnown(mark) || mark <= 0)
    return deny('markUnknown', 'a limit is judged by the last trade: none known');
  if (price.type === 'market') return null;
  // Multiplied out: a quotient would round.
  return isWithin(Math.abs(price.limit - mark) * 10_000, collarBps * mark)
    ? null
    : deny(
        'collar',
        `a limit lies within ${collarBps} bps of the last trade ${usd(mark)}: ${usd(price.limit)}`,
      );
}

/**
 * Trading at a band is the limit state that comes before a pause: what is bought there cannot be sold for minutes. Source:
 * the LULD plan, sections VI and VII.
 */
function atTheBand({ price }: OrderIntent, { mark, band }: RiskView): Denial | null {
  if (band === null || mark === null || price.type === 'market') return null;
  const { down, up } = band;
  const isInside = (at: Price): boolean => at > down && at < up;
  return isInside(price.limit) && isInside(mark)
    ? null
    : deny(
        'luld',
        `a limit and the last trade lie between the LULD bands ${usd(down)} and ${usd(up)}: ${usd(price.limit)}, ${usd(mark)}`,
      );
}

function tooMuch(intent: OrderIntent, limits: RiskLimits, view: RiskView): Denial | null {
  const cost = costOfIntent(intent, view.mark) ?? 0;
  const { grossExposure, buyingPower, reserved } = view;
  if (!isKnown(grossExposure))
    return deny('grossExposureUnknown', 'entries need to know the exposure of all lanes: not known');
  if (!isWithin(grossExposure + cost, limits.grossExposureMax))
    return deny(
      'grossExposure',
      `all lanes together hold at most ${usd(limits.grossExposureMax)}: ${usd(grossExposure)} and ${usd(cost)}`,
    );
  if (!isKnown(buyingPower) || !isKnown(reserved))
    return deny('buyingPowerUnknown', 'entries need to know the buying power: not known');
  return isWithin(cost, buyingPower - reserved)
    ? null
    : deny('buyingPower', `an entry fits the free buying power ${usd(buyingPower - reserved)}: ${usd(cost)}`);
}

/** Not a number is not known either: every comparison with it is false, and a guard must not pass for that. */
const isKnown = <N extends number>(value: N | null): value is N => value !== null && Number.isFinite(value);

const isWithin = (value: number, max: number): boolean => value <= max;

const usd = (amount: number): string => `${formatDecimal(amount as Cash)} USD`;
