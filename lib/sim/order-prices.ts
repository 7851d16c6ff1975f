import { type Price, parseDecimal, UNITS_PER_USD } from '../domain/money.ts';
import { parsePriceText } from './amounts.ts';
import type { ExchangeOptions, OrderRequest, SimOrderType } from './exchange-api.ts';
import type { OrderForm } from './order-form-type.ts';
import { badShape, isRefused, type Refused, unprocessable } from './refusals.ts';

export type FormRules = {
  readonly subPenny: ExchangeOptions['subPenny'];
  readonly fractionalTrading: boolean;
};

type Prices = Pick<
  OrderForm,
  'limitPrice' | 'stopPrice' | 'trailPrice' | 'trailPercent' | 'takeProfit' | 'stopLoss'
>;

/** What is said of each price, in the broker's words. */
const PRICE_WORDS = {
  limit: ['limit_price must be a number', 'limit_price must be > 0', 'invalid limit_price'],
  stop: ['stop_price must be a number', 'stop_price must be > 0', 'invalid stop_price'],
  trail: ['trail must be a number', 'trail must be > 0', 'invalid trail'],
  takeProfit: [
    'take_profit.limit_price must be a number',
    'take_profit.limit_price must be > 0',
    'invalid take_profit.limit_price',
  ],
  stopLoss: [
    'stop_loss.stop_price must be a number',
    'stop_loss.stop_price must be > 0',
    'invalid stop_loss.stop_price',
  ],
  stopLossLimit: [
    'stop_loss.limit_price must be a number',
    'stop_loss.limit_price must be > 0',
    'invalid stop_loss.limit_price',
  ],
} as const;

/** Reads one price; `null` when the request has none. */
export function readPrice(
  which: keyof typeof PRICE_WORDS,
  text: string | null,
  rules: FormRules,
): Price | null | Refused {
  if (text === null) return null;
  const [noNumber, notPositive, invalid] = PRICE_WORDS[which];
  const read = parsePriceText(text);
  if (read === null) return badShape(noNumber);
  if (!read.onTick && rules.subPenny === 'reject')
    return unprocessable(`${invalid} ${text}. sub-penny increment does not fulfill minimum pricing criteria`);
  if (read.units <= 0) return badShape(notPositive);
  return read.units as Price;
}

/** Reads the prices of a request and checks that they fit its type. */
export function readPrices(request: OrderRequest, type: SimOrderType, rules: FormRules): Prices | Refused {
  const limitPrice = readPrice('limit', request.limitPrice, rules);
  if (isRefused(limitPrice)) return limitPrice;
  const stopPrice = readPrice('stop', request.stopPrice, rules);
  if (isRefused(stopPrice)) return stopPrice;
  const takeProfit = readPrice('takeProfit', request.takeProfit?.limitPrice ?? null, rules);
  if (isRefused(takeProfit)) return takeProfit;
  // An oco is its own take-profit: it may leave out the limit price.
  const ownLimit = limitPrice ?? (request.orderClass === 'oco' ? takeProfit : null);
  const wantsLimit = type === 'limit' || type === 'stop_limit';
  const wantsStop = type === 'stop' || type === 'stop_limit';
  if (type === 'market' && (limitPrice !== null || stopPrice !== null))
    return badShape('market orders require no stop or limit price');
  if (wantsLimit && ownLimit === null) return badShape(`${type} orders require a limit price`);
  if (wantsStop && stopPrice === null) return badShape(`${type} orders require a stop price`);
  if (!wantsLimit && limitPrice !== null) return badShape(`${type} orders require no limit price`);
  if (!wantsStop && stopPrice !== null) return badShape(`${type} orders require no stop price`);
  const trail = readTrail(request, type);
  if ('ok' in trail) return trail;
  const stop = readPrice('stopLoss', request.stopLoss?.stopPrice ?? null, rules);
  if (isRefused(stop)) return stop;
  const limit = readPrice('stopLossLimit', request.stopLoss?.limitPrice ?? null, rules);
  if (isRefused(limit)) return limit;
  return {
    limitPrice: ownLimit,
    stopPrice,
    ...trail,
    takeProfit,
    stopLoss: stop === null ? null : { stop, limit },
  };
}

type Trail = { readonly trailPrice: Price | null; readonly trailPercent: number | null };

function readTrail(request: OrderRequest, type: SimOrderType): Trail | Refused {
  const given = [request.trailPrice, request.trailPercent].filter((text) => text !== null);
  if (type !== 'trailing_stop')
    return given.length > 0
      ? badShape(`${type} orders require no trail`)
      : { trailPrice: null, trailPercent: null };
  if (given.length !== 1)
    return badShape('trailing_stop orders require exactly one of trail_price or trail_percent');
  const amount = parseDecimal(given[0] ?? '');
  if (amount === null || amount <= 0) return badShape('trail must be > 0');
  if (request.trailPrice !== null) return { trailPrice: amount as Price, trailPercent: null };
  if (amount >= 100 * UNITS_PER_USD) return badShape('trail_percent must be < 100');
  return { trailPrice: null, trailPercent: amount / UNITS_PER_USD };
}
