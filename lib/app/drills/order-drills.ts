import type { ScriptedFault } from '../../sim/fault-types.ts';
import type { Drill } from './drill.ts';
import { bought, boughtAndHeld, foundByAsking, onRequest, roundTrip, untilHeld } from './pieces.ts';

/** What the order line does: answers lost, wrong or refused, executions untold or told again. */

const ORDERS = { method: 'POST', path: '^/v2/orders$' } as const;
const BUY = { ...ORDERS, side: 'buy' } as const;
const SELL = { ...ORDERS, side: 'sell' } as const;
const page = (status: number, accept: boolean): Extract<ScriptedFault, { kind: 'rest' }>['action'] => ({
  kind: 'answer',
  status,
  body: 'html',
  accept,
});

export const ORDER_DRILLS: readonly Drill[] = [
  {
    name: 'lost-fill',
    life: 'the trade-updates socket never tells of a fill',
    holds: [],
    faults: ['updateDrop'],
    needs: ['shares held'],
    marks: ['the fill found by asking'],
    scene: 'trading',
    rules: bought(),
    script: () => [
      {
        kind: 'updates',
        match: { event: 'fill', side: 'buy', symbol: null },
        from: null,
        times: 2,
        action: { kind: 'drop' },
      },
    ],
    play: (stage) => foundByAsking(stage, 'the fill found by asking'),
  },
  {
    name: 'repeated-execution',
    life: 'every fill is told three times',
    holds: [],
    faults: ['updateDuplicate'],
    needs: ['shares held'],
    marks: [],
    scene: 'trading',
    rules: bought(),
    script: () =>
      ['fill', 'partial_fill'].map((event) => ({
        kind: 'updates',
        match: { event, side: null, symbol: null },
        from: null,
        times: 1_000,
        action: { kind: 'duplicate', extra: 2 },
      })),
    play: roundTrip,
  },
  {
    name: 'no-answer',
    life: 'the broker takes an order, the answer never comes, and the stream tells nothing of it either',
    holds: [],
    faults: ['restAcceptedNoAnswer', 'updateDrop'],
    needs: ['shares held'],
    marks: ['the order found by asking'],
    scene: 'trading',
    rules: bought(),
    script: () => [
      onRequest(BUY, 1, { kind: 'silence', accept: true }),
      onRequest(SELL, 1, { kind: 'silence', accept: true }),
      {
        kind: 'updates',
        match: { event: null, side: 'buy', symbol: null },
        from: null,
        times: 1_000,
        action: { kind: 'drop' },
      },
    ],
    play: (stage) => foundByAsking(stage, 'the order found by asking'),
  },
  {
    name: 'html-errors',
    life: 'a proxy answers 502, 503 and 504 with HTML: an order taken behind it, exits and cancels not',
    holds: [],
    faults: ['restHtmlError', 'restAcceptedGatewayTimeout'],
    needs: ['shares held'],
    marks: [],
    scene: 'trading',
    rules: boughtAndHeld,
    script: () => [
      onRequest(BUY, 1, page(504, true)),
      onRequest(SELL, 1, page(503, false)),
      onRequest({ method: 'DELETE' }, 1, page(502, false)),
      onRequest({ method: 'GET', path: '^/v2/orders' }, 2, page(502, false)),
    ],
    play: roundTrip,
  },
  {
    name: 'rate-storm',
    life: 'another program spends the account’s requests: 429 until the next minute, shares in hand',
    holds: [],
    faults: ['restRateLimited', 'rateStorm'],
    needs: ['shares held'],
    marks: ['the gateway paused'],
    scene: 'trading',
    rules: boughtAndHeld,
    script: () => [onRequest(SELL, 2, { kind: 'answer', status: 429, body: 'json', accept: false })],
    async play(stage) {
      const symbol = await untilHeld(stage);
      stage.strike({ kind: 'rateStorm', at: await stage.now() });
      await stage.logged('gateway.rateLimited');
      stage.mark('the gateway paused');
      await stage.sold(symbol);
    },
  },
  {
    name: 'cancel-race',
    life: 'every exit fills while its cancel is on the way',
    holds: [],
    faults: [],
    needs: ['shares held', 'the fill overtook the cancel'],
    marks: [],
    scene: 'trading',
    rules: bought({ match: { side: 'sell', type: 'limit' }, model: { kind: 'cancelRace' }, times: null }),
    async play(stage) {
      const symbol = await untilHeld(stage);
      const canceled = await stage.logged('order.cancel', (fields) => fields.symbol === symbol);
      const sold = await stage.sold(symbol);
      if (canceled.fields.clientOrderId === sold.clientOrderId) stage.mark('the fill overtook the cancel');
    },
  },
];
