import type { Cash } from '../domain/money.ts';
import { parseDecimal, UNITS_PER_USD } from '../domain/money.ts';
import { isWhole, parseShares } from './amounts.ts';
import type { OrderRequest, PositionIntent, SimAsset, SimOrderType, TimeInForce } from './exchange-api.ts';
import { classMistake } from './order-class.ts';
import type { OrderForm } from './order-form-type.ts';
import { type FormRules, readPrices } from './order-prices.ts';
import type { OrderClass } from './order-record.ts';
import { badShape, forbidden, type Refused, unprocessable } from './refusals.ts';

const CLIENT_ID_MAX = 128;
const TYPES: readonly string[] = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'];
const TIMES: readonly string[] = ['day', 'gtc', 'opg', 'cls', 'ioc', 'fok'];
const INTENTS: readonly string[] = ['buy_to_open', 'buy_to_close', 'sell_to_open', 'sell_to_close'];

/** Reads a request as Alpaca does, in a fixed order, and stops at the first mistake. */
export function readOrderForm(
  request: OrderRequest,
  asset: SimAsset | null,
  rules: FormRules,
): OrderForm | Refused {
  const { symbol, side, type, timeInForce } = request;
  if (symbol === null || symbol === '') return badShape('symbol is required');
  if (asset === null) return unprocessable(`asset "${symbol}" not found`);
  if (!asset.tradable) return unprocessable(`asset "${symbol}" is not tradable`);
  if (side !== 'buy' && side !== 'sell') return badShape('side must be buy or sell');
  if (type === null || !TYPES.includes(type)) return badShape('invalid order type');
  if (timeInForce === null || !TIMES.includes(timeInForce)) return unprocessable('invalid time_in_force');
  if (request.positionIntent !== null && !INTENTS.includes(request.positionIntent))
    return badShape('invalid position_intent');
  if (request.clientOrderId !== null && request.clientOrderId.length > CLIENT_ID_MAX)
    return badShape(`client_order_id must be no more than ${CLIENT_ID_MAX} characters`);

  const size = readSize(request, asset, rules);
  if ('ok' in size) return size;
  const prices = readPrices(request, type as SimOrderType, rules);
  if ('ok' in prices) return prices;
  const form: OrderForm = {
    asset,
    side,
    type: type as SimOrderType,
    timeInForce: timeInForce as TimeInForce,
    orderClass: (request.orderClass === 'simple' ? '' : (request.orderClass ?? '')) as OrderClass,
    ...size,
    ...prices,
    extendedHours: request.extendedHours,
    clientOrderId: request.clientOrderId === '' ? null : request.clientOrderId,
    positionIntent: request.positionIntent as PositionIntent | null,
  };
  return classMistake(form) ?? sizeMistake(form) ?? timeMistake(form) ?? form;
}

type Size = { readonly qty: number | null; readonly notional: Cash | null };

function readSize(request: OrderRequest, asset: SimAsset, rules: FormRules): Size | Refused {
  if (request.qty === null && request.notional === null) return badShape('qty or notional is required');
  if (request.qty !== null && request.notional !== null)
    return badShape('only one of qty or notional is accepted');
  const mayBeFraction = asset.fractionable && rules.fractionalTrading;
  if (request.notional !== null) {
    const amount = parseDecimal(request.notional);
    if (amount === null) return badShape('notional must be a number');
    if (amount <= 0) return badShape('notional must be > 0');
    if (!mayBeFraction) return unprocessable('requested asset is not fractionable');
    if (!/^\d+(\.\d{1,2}0*)?$/.test(request.notional))
      return unprocessable('notional value must be limited to 2 decimal places');
    if (amount < UNITS_PER_USD) return forbidden('cost basis must be >= minimal amount of order 1');
    return { qty: null, notional: amount as Cash };
  }
  const text = request.qty ?? '';
  const qty = parseShares(text);
  if (qty === null)
    return badShape(
      /^-\d/.test(text)
        ? 'qty must be > 0'
        : /^\d+\.\d{10,}$/.test(text)
          ? 'qty must be limited to 9 decimal places'
          : 'qty must be a number',
    );
  if (qty <= 0) return badShape('qty must be > 0');
  if (!isWhole(qty)) {
    if (!rules.fractionalTrading) return badShape('qty must be integer');
    if (!asset.fractionable) return unprocessable('requested asset is not fractionable');
  }
  return { qty, notional: null };
}

function sizeMistake(form: OrderForm): Refused | null {
  const fractional = form.notional !== null || (form.qty !== null && !isWhole(form.qty));
  if (!fractional) return null;
  if (form.timeInForce !== 'day') return unprocessable('fractional orders must be DAY orders');
  if (form.orderClass !== '') return unprocessable('fractional orders must be simple orders');
  if (form.type === 'trailing_stop')
    return unprocessable('fractional orders must be market, limit, stop, or stop_limit orders');
  return null;
}

function timeMistake(form: OrderForm): Refused | null {
  const { type, timeInForce } = form;
  if (form.extendedHours && (type !== 'limit' || (timeInForce !== 'day' && timeInForce !== 'gtc')))
    return unprocessable('extended hours order must be DAY or GTC limit orders');
  const stops = type === 'stop' || type === 'stop_limit' || type === 'trailing_stop';
  if (stops && timeInForce !== 'day' && timeInForce !== 'gtc')
    return unprocessable(`${type} orders must be DAY or GTC orders`);
  return null;
}
