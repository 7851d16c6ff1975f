import type { OrderForm } from './order-form-type.ts';
import { badShape, type Refused, unprocessable } from './refusals.ts';

/** Whether a bracket, oco or oto is complete and its prices lie on the right sides. `null` when nothing is wrong. */
export function classMistake(form: OrderForm): Refused | null {
  const { orderClass, takeProfit, stopLoss } = form;
  switch (orderClass) {
    case '':
      return takeProfit !== null || stopLoss !== null
        ? badShape('simple orders require no take_profit or stop_loss')
        : null;
    case 'bracket':
    case 'oco':
      if (takeProfit === null && (orderClass === 'bracket' || form.limitPrice === null))
        return badShape(`${orderClass} orders require take_profit.limit_price`);
      if (stopLoss === null) return badShape(`${orderClass} orders require stop_loss.stop_price`);
      break;
    case 'oto':
      if ((takeProfit === null) === (stopLoss === null))
        return badShape('oto orders require exactly one of take_profit.limit_price or stop_loss.stop_price');
      break;
    default:
      return badShape('invalid order_class');
  }
  if (form.timeInForce !== 'day' && form.timeInForce !== 'gtc')
    return unprocessable(`${orderClass} orders must be DAY or GTC orders`);
  if (form.extendedHours) return unprocessable(`${orderClass} orders are not allowed in extended hours`);
  if (orderClass === 'oco' && form.type !== 'limit') return unprocessable('oco orders must be limit orders');
  return priceMistake(form);
}

/** The exits of a buy lie around its price: take profit above, stop loss below; mirrored for a sell. */
function priceMistake(form: OrderForm): Refused | null {
  const exitSells = form.orderClass === 'oco' ? form.side === 'sell' : form.side === 'buy';
  const profit = form.orderClass === 'oco' ? (form.takeProfit ?? form.limitPrice) : form.takeProfit;
  const stop = form.stopLoss?.stop ?? null;
  const above = (a: number, b: number): boolean => (exitSells ? a > b : a < b);
  if (profit !== null && stop !== null && !above(profit, stop))
    return unprocessable(`take_profit.limit_price must be ${exitSells ? '>' : '<'} stop_loss.stop_price`);
  if (form.orderClass === 'oco') return null;
  const base = form.limitPrice ?? form.stopPrice;
  if (base === null) return null;
  if (profit !== null && !above(profit, base))
    return unprocessable(`take_profit.limit_price must be ${exitSells ? '>' : '<'} base_price`);
  if (stop !== null && !above(base, stop))
    return unprocessable(`stop_loss.stop_price must be ${exitSells ? '<' : '>'} base_price`);
  return null;
}
