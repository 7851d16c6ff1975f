import type { Ticker } from '../../lib/domain/ids.ts';
import { formatDecimal, type Price, roundDownToTick } from '../../lib/domain/money.ts';
import { after, type Micros, millis, seconds } from '../../lib/domain/time.ts';
import type { Engine } from '../../lib/engine/engine-types.ts';
import type { OperatorAnswer, OperatorOrder } from '../../lib/engine/kill-switch.ts';
import type { Exchange, OrderRequest, SimOrder } from '../../lib/sim/exchange-api.ts';
import type { RateLimiter } from '../../lib/sim/rate-limit.ts';
import type { Process, World } from './process.ts';
import type { Happening, HappeningKind } from './scenario.ts';
import { noteSituation } from './witness.ts';

/** Where a happening strikes: the world, and the process that runs at that instant, if one does. */
export type Stage = {
  readonly world: World;
  readonly limiter: RateLimiter;
  readonly process: Process | null;
  /** The same, whenever it is asked. */
  readonly running: () => Process | null;
  readonly now: Micros;
};

type Of<K extends HappeningKind> = Extract<Happening, { kind: K }>;
/** Does it, and says whether it struck: an order by hand needs one to strike, a dead daemon takes no commands. */
type Doers = { readonly [K in HappeningKind]: (happening: Of<K>, stage: Stage) => boolean };

const BY = 'simulation';

export function makeHappen(happening: Happening, stage: Stage): void {
  // The table's type proves that each doer takes its own kind; the compiler cannot follow the look-up.
  const doer = DOERS[happening.kind] as (happening: Happening, stage: Stage) => boolean;
  if (doer(happening, stage)) noteSituation(stage.world.witness, happening.kind);
  else if (PATIENT.has(happening.kind)) tryAgain(happening, stage);
}

/** A hand that finds no order of ours waits for one, until the faults stop. */
const PATIENT: ReadonlySet<HappeningKind> = new Set(['cancelByHand', 'replaceByHand', 'endByVenue']);
const TRY_AGAIN_AFTER = millis(1_700);

function tryAgain(happening: Happening, stage: Stage): void {
  const { clock, scenario } = stage.world;
  const at = after(stage.now, TRY_AGAIN_AFTER);
  const calmAt = scenario.calmFrom.find((calm) => calm >= stage.now);
  if (calmAt === undefined || at >= calmAt) return;
  clock.at(at, () => makeHappen(happening, { ...stage, process: stage.running(), now: at }));
}

const DOERS: Doers = {
  cut({ stream, until }, { world }) {
    const door = world.doors[stream === 'data' ? 'data' : 'trade'];
    door.refuseUntil(until);
    door.drop();
    return true;
  },
  halt({ symbol, until }, { world: { exchange, clock } }) {
    exchange.act({ kind: 'halt', symbol, code: 'T1', reason: 'news' });
    if (until !== null) clock.at(until, () => exchange.act({ kind: 'resume', symbol }));
    return true;
  },
  rateStorm(_, { limiter, now }) {
    limiter.exhaust(now);
    return true;
  },
  brokerDown(outage, { world }) {
    world.weather.outage = outage;
    return true;
  },
  diskFull({ until }, { world: { trail, clock } }) {
    trail.disk({ kind: 'full' });
    clock.at(until, () => trail.disk({ kind: 'well' }));
    return true;
  },
  diskSlow({ until, delay }, { world: { trail, clock } }) {
    trail.disk({ kind: 'slow', delay });
    clock.at(until, () => trail.disk({ kind: 'well' }));
    return true;
  },
  laneDies({ symbol, code }, { process }) {
    process?.lanes.lose(symbol, { code, text: 'drawn' });
    return process !== null;
  },
  laneHangs({ symbol }, { process }) {
    process?.lanes.hang(symbol);
    return process !== null;
  },
  pause: (pause, stage) => command(pause, stage, 'pause', (engine, order) => engine.pause(order)),
  flatten: (flatten, stage) => command(flatten, stage, 'flatten', (engine, order) => engine.flatten(order)),
  kill: (kill, stage) =>
    command({ ...kill, symbol: null }, stage, 'kill', (engine, order) => engine.kill(order)),
  resume: (resume, stage) =>
    command(resume, stage, resume.clearLatches ? 'clear' : 'resume', (engine, order) =>
      engine.resume({ ...order, clearLatches: resume.clearLatches }),
    ),
  adopt({ symbol }, stage) {
    void adopt(symbol, stage);
    return false;
  },
  foreignShares({ symbol, qty }, { world: { exchange } }) {
    // A transfer into the account: what is there stays.
    const held = exchange.positions().find((position) => position.symbol === symbol);
    const averagePrice = held?.averagePrice ?? exchange.latestPrint(symbol)?.price ?? (10_000 as Price);
    const all = (exchange.ledger().positions.get(symbol) ?? 0) + qty;
    exchange.act({ kind: 'setPosition', symbol, qty: all, averagePrice });
    return true;
  },
  foreignOrder({ symbol, qty }, { world: { exchange } }) {
    const price = exchange.latestPrint(symbol)?.price;
    if (price === undefined) return false;
    // Far below the market: it rests all day.
    exchange.act({ kind: 'foreignOrder', request: bid(symbol, qty, (price / 2) as Price) });
    return true;
  },
  cancelByHand({ symbol }, { world: { exchange } }) {
    if (oursAt(exchange, symbol).length === 0) return false;
    exchange.act({ kind: 'cancelByHand', match: { symbol } });
    return true;
  },
  replaceByHand({ symbol }, { world: { exchange } }) {
    const victim = oursAt(exchange, symbol)[0];
    if (victim === undefined || victim.limitPrice === null) return false;
    const { side, limitPrice } = victim;
    const moved = roundDownToTick((limitPrice * (side === 'buy' ? 0.999 : 1.001)) as Price);
    const same = { qty: null, timeInForce: null, stopPrice: null, trail: null, clientOrderId: null };
    exchange.act({
      kind: 'replaceByHand',
      match: { symbol, side },
      changes: { ...same, limitPrice: formatDecimal(moved) },
    });
    return true;
  },
  endByVenue({ symbol, how }, { world: { exchange } }) {
    const victim = oursAt(exchange, symbol)[0];
    if (victim === undefined) return false;
    exchange.act({ kind: 'endOrder', id: victim.id, how });
    return true;
  },
};

/** Gives the daemon an operator's order; what it took is kept for the judge. */
function command(
  { symbol }: { readonly symbol: Ticker | null },
  { world: { witness }, process, now }: Stage,
  what: string,
  give: (engine: Engine, order: OperatorOrder) => OperatorAnswer,
): boolean {
  if (process === null || give(process.engine, { symbol, by: BY, why: 'drawn' }).kind !== 'done')
    return false;
  witness.operator.push({ at: now, process: witness.processes.length - 1, what, symbol });
  return true;
}

/** Taking over takes a while, and is refused until several looks have confirmed what there is: then it is asked again. */
async function adopt(symbol: Ticker, stage: Stage): Promise<void> {
  const { clock, scenario, witness } = stage.world;
  const process = stage.running();
  const number = witness.processes.length - 1;
  witness.operator.push({ at: clock.now(), process: number, what: 'adoptAsked', symbol });
  const answer = await process?.engine.adopt({ symbol, by: BY, why: 'drawn' });
  if (answer?.kind === 'done') {
    noteSituation(witness, 'adopt');
    witness.operator.push({ at: clock.now(), process: number, what: 'adopt', symbol });
    return;
  }
  const at = after(clock.now(), ADOPT_AGAIN_AFTER);
  if (scenario.calmFrom.some((calm) => at < calm)) clock.at(at, () => void adopt(symbol, stage));
}

const ADOPT_AGAIN_AFTER = seconds(20);

function oursAt(exchange: Exchange, symbol: Ticker): readonly SimOrder[] {
  const answer = exchange.orders({
    status: 'open',
    limit: 100,
    after: null,
    until: null,
    direction: 'asc',
    symbols: [symbol],
    side: null,
    nested: false,
    beforeOrderId: null,
    afterOrderId: null,
  });
  return answer.ok ? answer.value.filter(({ clientOrderId }) => clientOrderId.startsWith('scalpd-')) : [];
}

const bid = (symbol: Ticker, qty: number, price: Price): OrderRequest => ({
  symbol,
  qty: String(qty),
  notional: null,
  side: 'buy',
  type: 'limit',
  timeInForce: 'day',
  limitPrice: formatDecimal(roundDownToTick(price)),
  stopPrice: null,
  trailPrice: null,
  trailPercent: null,
  extendedHours: false,
  clientOrderId: null,
  orderClass: null,
  takeProfit: null,
  stopLoss: null,
  positionIntent: null,
});
