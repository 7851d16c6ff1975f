import { setTimeout as pause } from 'node:timers/promises';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { Flooded, FloodRate, FloodSpec, FloodTold } from './exit-flood.ts';
import type { Beat } from './exit-market.ts';
import type { Decision, DecisionPlace, PartyAsked, PartyTold } from './exit-party.ts';
import { type ExitStand, openExitStand } from './exit-stand.ts';
import { tickers } from './lane-starts.ts';
import { openChild, type TalkingChild } from './talking-child.ts';
import { wallNow } from './wall.ts';

export type LoadPlan = {
  /** Lanes, all subscribed. */
  readonly symbols: number;
  readonly maxThreads: number;
  readonly stepAhead?: boolean;
  /** Exchange seconds per wall second. */
  readonly speed: number;
  /** Symbols whose trades come with every frame, `TRADED` of them or all; spread over the list, as bars come in its order. */
  readonly watched: number;
  /** One after the other: trades a second, and for how many exits. */
  readonly stretches: readonly { readonly rate: number; readonly exits: number }[];
};

export type Stretch = {
  readonly rate: number;
  /** Trades that the sender got rid of in a second, and most bytes that waited there. */
  readonly sentPerSecond: number;
  readonly backlog: number;
  readonly sent: number;
  readonly lost: number;
  /** From fill to exit, micros. */
  readonly exits: readonly number[];
  /** By what was decided: marks that came with the load. */
  readonly ages: Readonly<Record<DecisionPlace, readonly MarkAge[]>>;
};

/** Micros. */
type MarkAge = {
  /** Since the newest trade that the lane knew was sent. */
  readonly age: number;
  /** Since the first trade was sent that the lane did not know; 0 when it knew all. */
  readonly behind: number;
};

/** Each fills alone, so that a minute gives as many exits of one symbol. */
const TRADED = 4;
/** Seconds into the minute, of which the first are for the bars and what comes of them. */
const FIRST_FILL = 20;
const FILL_EVERY = 9;
const SOLD_AFTER = 4;
/** All symbols print here: so all have a bar in each minute, and none has to be asked for. */
const ALL_PRINT = 57;
/** A stretch begins to count when the load has been there for so long. */
const SETTLE_MS = 400;
/** Stretches end here at the latest, as multiples of what the exits should take: entries may be shut. */
const PATIENCE = 4;
const MINUTE_MS = 60_000;

/** One engine, with and without other trades than those that it needs, by turns. */
export async function runUnderLoad(plan: LoadPlan): Promise<readonly Stretch[]> {
  const symbols = tickers(plan.symbols);
  const traded = spreadOver(symbols, TRADED);
  const stand = await openExitStand(plan.symbols, plan.speed, [
    { who: 'engine', shift: 0, beats: beatsOf(symbols, traded) },
  ]);
  const { url, at, wallAt } = stand.served('engine');
  const flood = openChild<FloodTold>('exit-flood', {
    upstream: url.replace('http', 'ws'),
    symbols,
    watched: spreadOver(symbols, plan.watched),
    at,
    wallAt,
    speed: plan.speed,
  } satisfies FloodSpec);
  try {
    const { url: dataStream } = await flood.next('serving');
    const engine = await stand.join('engine', {
      kind: 'engine',
      maxThreads: plan.maxThreads,
      ...(plan.stepAhead !== undefined && { stepAhead: plan.stepAhead }),
      dataStream,
      traded,
    });
    await stand.until(() => stand.exits.length >= WARM_EXITS);
    const wallOf = (instant: number): number => wallAt + (instant - at) / 1_000 / plan.speed;
    const stretches: Stretch[] = [];
    for (const stretch of plan.stretches)
      stretches.push(await runStretch(stand, flood, engine, plan.speed, stretch, wallOf));
    return stretches;
  } finally {
    await stand.close();
    await flood.end();
  }
}

const WARM_EXITS = 2 * TRADED;

const spreadOver = (symbols: readonly Ticker[], count: number): readonly Ticker[] =>
  symbols.filter(
    (_, n) => Math.floor((n * count) / symbols.length) !== Math.floor(((n - 1) * count) / symbols.length),
  );

function beatsOf(symbols: readonly Ticker[], traded: readonly Ticker[]): readonly Beat[] {
  const each = traded.flatMap((symbol, n) => [
    { second: FIRST_FILL + n * FILL_EVERY, symbols: [symbol] },
    { second: FIRST_FILL + n * FILL_EVERY + SOLD_AFTER, symbols: [symbol] },
  ]);
  return [...each, { second: ALL_PRINT, symbols }];
}

async function runStretch(
  stand: ExitStand,
  flood: TalkingChild<FloodTold>,
  engine: TalkingChild<PartyTold>,
  speed: number,
  { rate, exits }: LoadPlan['stretches'][number],
  wallOf: (at: number) => number,
): Promise<Stretch> {
  await changeRate(flood, rate);
  await pause(SETTLE_MS);
  await ask(engine, 'decisions');
  const first = stand.exits.length;
  const startedAt = wallNow();
  const limit = startedAt + ((exits / TRADED) * MINUTE_MS * PATIENCE) / speed;
  await stand.until(() => stand.exits.length >= first + exits || wallNow() >= limit);
  // What is decided later is decided on marks that nothing follows.
  const endedAt = wallNow();
  const flooded = await changeRate(flood, 0);
  const answer = await ask(engine, 'decisions');
  const decisions = answer.decisions.filter(({ decidedAt }) => decidedAt < endedAt);
  return {
    rate,
    sentPerSecond: (flooded.sent / flooded.took) * 1_000,
    backlog: flooded.backlog,
    sent: flooded.sent,
    lost: await lostOf(engine, flood),
    exits: stand.exits.slice(first, first + exits).map(({ micros }) => micros),
    ages: {
      bar: agesOf(decisions, 'bar', flooded, wallOf),
      thread: agesOf(decisions, 'thread', flooded, wallOf),
      ahead: agesOf(decisions, 'ahead', flooded, wallOf),
    },
  };
}

async function changeRate(flood: TalkingChild<FloodTold>, rate: number): Promise<Flooded> {
  flood.say({ rate } satisfies FloodRate);
  return flood.next('flooded');
}

function ask<K extends 'prints' | 'decisions'>(engine: TalkingChild<PartyTold>, asked: K) {
  engine.say(asked satisfies PartyAsked);
  return engine.next(asked);
}

/** How many trades are still missing when nothing is under way any more. */
async function lostOf(engine: TalkingChild<PartyTold>, flood: TalkingChild<FloodTold>): Promise<number> {
  let missing = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS && missing !== 0; look += 1) {
    if (look > 0) await pause(LOOK_EVERY_MS);
    // Taken before sent: between the two, the exchange may add some.
    const { prints } = await ask(engine, 'prints');
    missing = (await changeRate(flood, 0)).sentInAll - prints;
  }
  return missing;
}

const LOOKS = 40;
const LOOK_EVERY_MS = 50;

function agesOf(
  decisions: readonly Decision[],
  on: DecisionPlace,
  { stamps }: Flooded,
  wallOf: (at: number) => number,
): readonly MarkAge[] {
  return decisions.flatMap((decision) => {
    const sent = stamps.get(decision.symbol);
    const index = sent === undefined || decision.on !== on ? -1 : indexIn(sent, decision.markAt);
    // A mark of the exchange's own was not stamped when it was sent.
    if (sent === undefined || index < 0) return [];
    const age = (decision.decidedAt - wallOf(decision.markAt)) * 1_000;
    const next = sent[index + 1];
    const behind = next === undefined ? 0 : (decision.decidedAt - wallOf(next)) * 1_000;
    return [{ age, behind: Math.max(0, behind) }];
  });
}

/** -1 when it is not there. */
function indexIn(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value ? low : -1;
}
