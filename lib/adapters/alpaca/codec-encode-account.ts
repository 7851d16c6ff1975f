import type { Session } from '../../domain/session.ts';
import { after, before, civilFromDays, type Duration, daysFromCivil, minutes } from '../../domain/time.ts';
import type {
  SimAccount,
  SimAsset,
  SimClock,
  SimConfigurations,
  SimPosition,
} from '../../sim/exchange-api.ts';
import { dayOf, wallTime } from '../time/calendar.ts';
import {
  amountText,
  averageText,
  instantText,
  newYorkText,
  ratioText,
  sharesText,
} from './codec-encode-text.ts';

/** Account, positions, assets, clock and calendar of the embedded exchange as Alpaca's JSON. */

/** The fields about pattern day trading left Alpaca's answers in July 2026 and are not here. */
export function encodeAccount(account: SimAccount, settings: SimConfigurations): Record<string, unknown> {
  const marketValue = account.longMarketValue + account.shortMarketValue;
  return {
    id: account.id,
    account_number: account.number,
    status: 'ACTIVE',
    crypto_status: 'INACTIVE',
    currency: 'USD',
    cash: amountText(account.cash),
    equity: amountText(account.equity),
    last_equity: amountText(account.lastEquity),
    portfolio_value: amountText(account.equity),
    long_market_value: amountText(account.longMarketValue),
    short_market_value: amountText(account.shortMarketValue),
    position_market_value: amountText(marketValue),
    buying_power: amountText(account.buyingPower),
    regt_buying_power: amountText(account.buyingPower),
    effective_buying_power: amountText(account.buyingPower),
    non_marginable_buying_power: amountText(Math.max(account.cash, 0)),
    options_buying_power: amountText(Math.max(account.cash, 0)),
    initial_margin: amountText(account.initialMargin),
    maintenance_margin: amountText(account.maintenanceMargin),
    last_maintenance_margin: '0',
    sma: '0',
    accrued_fees: amountText(account.accruedFees),
    pending_reg_taf_fees: '0',
    pending_transfer_in: '0',
    pending_transfer_out: '0',
    intraday_adjustments: '0',
    multiplier: String(account.multiplier),
    trading_blocked: false,
    account_blocked: false,
    transfers_blocked: false,
    trade_suspended_by_user: settings.suspendTrade,
    shorting_enabled: !settings.noShorting,
    options_approved_level: 0,
    options_trading_level: 0,
    crypto_tier: 0,
    created_at: instantText(account.createdAt),
    balance_asof: dayOf(account.createdAt),
    admin_configurations: {},
    user_configurations: null,
  };
}

export function encodeConfigurations(settings: SimConfigurations): Record<string, unknown> {
  return {
    disable_overnight_trading: settings.disableOvernightTrading,
    fractional_trading: settings.fractionalTrading,
    max_margin_multiplier: String(settings.maxMarginMultiplier),
    max_options_trading_level: settings.maxOptionsTradingLevel,
    no_shorting: settings.noShorting,
    ptp_no_exception_entry: settings.ptpNoExceptionEntry,
    suspend_trade: settings.suspendTrade,
    trade_confirm_email: settings.tradeConfirmEmail,
  };
}

/** All amounts are text; a short position has negative `qty`, `market_value` and `cost_basis`. */
export function encodePosition(position: SimPosition): Record<string, unknown> {
  const marketValue = position.qty * position.currentPrice;
  const profit = marketValue - position.cost;
  const basis = Math.abs(position.cost);
  return {
    asset_id: position.assetId,
    symbol: position.symbol,
    exchange: position.exchange,
    asset_class: 'us_equity',
    asset_marginable: true,
    qty: sharesText(position.qty),
    qty_available: sharesText(position.available),
    side: position.qty < 0 ? 'short' : 'long',
    avg_entry_price:
      position.qty === 0 ? amountText(position.averagePrice) : averageText(position.cost, position.qty),
    market_value: amountText(marketValue),
    cost_basis: amountText(position.cost),
    unrealized_pl: amountText(profit),
    unrealized_plpc: ratioText(profit, basis),
    unrealized_intraday_pl: amountText(profit),
    unrealized_intraday_plpc: ratioText(profit, basis),
    current_price: amountText(position.currentPrice),
    lastday_price: amountText(position.lastDayPrice),
    change_today: ratioText(position.currentPrice - position.lastDayPrice, position.lastDayPrice),
  };
}

export function encodeAsset(asset: SimAsset): Record<string, unknown> {
  return {
    id: asset.id,
    class: 'us_equity',
    exchange: asset.exchange,
    symbol: asset.symbol,
    name: asset.name,
    status: 'active',
    tradable: asset.tradable,
    marginable: asset.marginable,
    shortable: asset.shortable,
    easy_to_borrow: asset.shortable,
    borrow_status: asset.shortable ? 'easy_to_borrow' : 'hard_to_borrow',
    fractionable: asset.fractionable,
    maintenance_margin_requirement: 30,
    margin_requirement_long: '30',
    margin_requirement_short: '100',
    cusip: null,
    attributes: asset.fractionable ? ['fractional_eh_enabled'] : [],
  };
}

export function encodeClock(clock: SimClock): Record<string, unknown> {
  return {
    timestamp: newYorkText(clock.at),
    is_open: clock.isOpen,
    next_open: newYorkText(clock.nextOpenAt),
    next_close: newYorkText(clock.nextCloseAt),
  };
}

/** Pre-market opens at 04:00 and after-hours ends at 20:00 New York, four hours after an ordinary or early close. */
const PRE_LEAD = minutes(330);
const POST_LENGTH = minutes(240);

export function encodeCalendarDay(session: Session, settlementDay: string): Record<string, unknown> {
  return {
    date: session.day,
    open: hourMinute(wallTime(session.openAt)),
    close: hourMinute(wallTime(session.closeAt)),
    session_open: compact(wallTime(before(session.openAt, PRE_LEAD))),
    session_close: compact(wallTime(after(session.closeAt, POST_LENGTH))),
    settlement_date: settlementDay,
  };
}

const MARKET = {
  acronym: 'NYSE',
  bic: null,
  mic: 'XNYS',
  name: 'New York Stock Exchange',
  timezone: 'America/New_York',
} as const;

export function encodeCalendarDayV3(session: Session, settlementDay: string): Record<string, unknown> {
  return {
    date: session.day,
    core_start: newYorkText(session.openAt),
    core_end: newYorkText(session.closeAt),
    pre_start: newYorkText(before(session.openAt, PRE_LEAD)),
    pre_end: newYorkText(session.openAt),
    post_start: newYorkText(session.closeAt),
    post_end: newYorkText(after(session.closeAt, POST_LENGTH)),
    settlement_date: settlementDay,
  };
}

/** `today`: the session of the clock's own day, if it is a trading day. */
export function encodeClockV3(clock: SimClock, today: Session | null): Record<string, unknown> {
  const [phase, until] = phaseV3(clock, today);
  return {
    clocks: [
      {
        market: MARKET,
        timestamp: newYorkText(clock.at),
        is_market_day: today !== null,
        next_market_open: newYorkText(clock.nextOpenAt),
        next_market_close: newYorkText(clock.nextCloseAt),
        phase,
        phase_until: newYorkText(until),
      },
    ],
  };
}

function phaseV3(clock: SimClock, today: Session | null): readonly [string, SimClock['at']] {
  const nextPre = before(clock.nextOpenAt, PRE_LEAD);
  if (today === null) return ['closed', nextPre];
  const preAt = before(today.openAt, PRE_LEAD);
  const postEndAt = after(today.closeAt, POST_LENGTH as Duration);
  if (clock.at < preAt) return ['closed', preAt];
  if (clock.at < today.openAt) return ['pre', today.openAt];
  if (clock.at < today.closeAt) return ['core', today.closeAt];
  return clock.at < postEndAt ? ['post', postEndAt] : ['closed', nextPre];
}

/** Trades of a day settle one trading day later (T+1 since May 2024): the next day of `sessions`, else the next weekday. */
export function settlementDay(session: Session, sessions: readonly Session[]): string {
  const next = sessions.find((other) => other.day > session.day);
  return next === undefined ? nextWeekday(session.day) : next.day;
}

function nextWeekday(day: string): string {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  let days = daysFromCivil(year, month, date) + 1;
  // 1970-01-01 was a Thursday: 2 is a Saturday, 3 a Sunday.
  while (days % 7 === 2 || days % 7 === 3) days += 1;
  return civilFromDays(days)
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}

const hourMinute = (wall: string): string => wall.slice(0, 5);
const compact = (wall: string): string => wall.slice(0, 5).replace(':', '');

export type PortfolioPoints = {
  /** Left edges of the steps, Unix seconds. */
  readonly seconds: readonly number[];
  /** USD. */
  readonly equity: readonly number[];
  readonly base: number;
  readonly timeframe: string;
};

/** Numbers, not text, unlike the rest of the trading host. */
export function encodePortfolioHistory(points: PortfolioPoints): Record<string, unknown> {
  const { seconds, equity, base, timeframe } = points;
  const profit = equity.map((value) => rounded(value - base, 4));
  return {
    timestamp: seconds,
    equity,
    profit_loss: profit,
    profit_loss_pct: profit.map((value) => (base === 0 ? 0 : rounded(value / base, 8))),
    base_value: base,
    timeframe,
  };
}

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals));

export const encodeCalendarV3 = (days: readonly unknown[]): Record<string, unknown> => ({
  market: MARKET,
  calendar: days,
});

const MARKETS: readonly string[] = [MARKET.acronym, MARKET.mic, 'NASDAQ', 'XNAS'];

/** Both exchanges keep the same hours. */
export const isKnownMarket = (name: string): boolean => MARKETS.includes(name.toUpperCase());

/** Whether an asset has one of the attributes, all assets when none is asked for. */
export const hasAttribute = (asset: Record<string, unknown>, wanted: readonly string[] | null): boolean =>
  wanted === null || wanted.some((name) => (asset.attributes as readonly string[]).includes(name));
