import { quantile } from '../figure.ts';
import type { Exit, PartySpec } from './exit-exchange.ts';
import { openExitStand } from './exit-stand.ts';
import { tickers } from './lane-starts.ts';

export type BurstPlan = {
  readonly symbols: number;
  /** Exchange seconds per wall second: fast enough for many minutes, slow enough for all exits to fit between two beats. */
  readonly speed: number;
  readonly rounds: number;
  /** In each of them every symbol makes a round trip. */
  readonly minutesPerRound: number;
  /** Not counted: a machine compiles what it has not run often, and few symbols run it seldom. 3 when absent. */
  readonly warmMinutes?: number;
};
export type ContestPlan<Who extends string> = BurstPlan & {
  readonly parties: Readonly<Record<Who, PartyKind>>;
};
export type PartyKind =
  | { readonly kind: 'floor' }
  | {
      readonly kind: 'engine';
      readonly silent?: boolean;
      readonly stepAhead?: boolean;
      readonly maxThreads?: number;
    };

/** By minute, what each exit took, in micros. */
export type Round = readonly (readonly number[])[];
export type Contest<Who extends string> = Readonly<Record<Who, readonly Round[]>>;

/**
 * Several parties trade the same beats in turn, in the same minutes.
 *
 * A minute begins with a party's entries: an engine's leave with the bar; the floor's when its exits fill, which they do
 * then. In the same minute they fill, and what the exits take is measured; later an engine's exits fill. The parties'
 * minutes are shifted against each other so that the same time has passed before each of the fills since the party's own
 * entries, and since anybody did anything.
 */
export async function holdContest<Who extends string>(plan: ContestPlan<Who>): Promise<Contest<Who>> {
  const { symbols, speed, rounds, minutesPerRound, warmMinutes = 3 } = plan;
  const names = Object.keys(plan.parties) as Who[];
  const parties = names.map((who, place) =>
    partySpec(who, plan.parties[who].kind, symbols, place, names.length),
  );
  const stand = await openExitStand(symbols, speed, parties);
  try {
    await Promise.all(names.map((who) => stand.join(who, plan.parties[who])));
    const since = (who: Who, first: number): Round => minutesOf(stand.exits, who, first, symbols);
    await stand.until(() => names.every((who) => since(who, 0).length > warmMinutes));
    const from = (stand.exits.at(-1)?.minute ?? 0) + 1;
    const wanted = rounds * minutesPerRound;
    const limit = from + PATIENCE * wanted + warmMinutes;
    const isDone = (): boolean => names.every((who) => since(who, from).length > wanted);
    await stand.until(() => isDone() || (stand.exits.at(-1)?.minute ?? 0) > limit);
    return Object.fromEntries(
      names.map((who) => {
        const found = since(who, from);
        if (found.length < wanted)
          throw new Error(`${who} exits in ${wanted} minutes of ${limit - from}. Found: ${found.length}`);
        return [
          who,
          Array.from({ length: rounds }, (_, n) =>
            found.slice(n * minutesPerRound, (n + 1) * minutesPerRound),
          ),
        ];
      }),
    ) as unknown as Contest<Who>;
  } finally {
    await stand.close();
  }
}

/** A machine that is busy with other things loses some minutes; one that loses more than these measures nothing. */
const PATIENCE = 3;

/** By minute, without those in which a symbol had none: fewer at once is another measurement. */
function minutesOf(exits: readonly Exit[], who: string, first: number, symbols: number): Round {
  const found = new Map<number, number[]>();
  for (const exit of exits) {
    if (exit.who !== who || exit.minute < first) continue;
    const minute = found.get(exit.minute);
    if (minute === undefined) found.set(exit.minute, [exit.micros]);
    else minute.push(exit.micros);
  }
  return [...found.values()].filter(({ length }) => length === symbols);
}

/** Of a minute, for entries and for fills alike; the rest is for the exits of engines to fill. */
const SPAN_SECONDS = 24;

function partySpec(
  who: string,
  kind: PartyKind['kind'],
  symbols: number,
  place: number,
  places: number,
): PartySpec {
  const step = SPAN_SECONDS / places;
  const all = tickers(symbols);
  const shift = place * step;
  // Seconds of its own minute. The floor enters when its exits fill, an engine with its bar.
  const sold = kind === 'floor' ? 0 : SPAN_SECONDS * 2 + (place * SOLD_SECONDS) / places - shift;
  return {
    who,
    shift,
    beats: [sold, SPAN_SECONDS].map((second) => ({ second, symbols: all })),
  };
}

/** What remains of the minute, less a breath before the next one's entries. */
const SOLD_SECONDS = 9;

/** Of each round the median of its bursts, by their median exit or their last. */
export function burstsOf(rounds: readonly Round[], which: 'median' | 'last'): readonly number[] {
  const share = which === 'median' ? 0.5 : 1;
  return rounds.map((bursts) =>
    at(
      0.5,
      bursts.map((burst) => at(share, burst)),
    ),
  );
}

const at = (share: number, values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    share,
  );
