import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Benchmark, type Figure, latenciesOf, latencyFigures, quantile, spreadOf } from './figure.ts';
import { startEngine } from './parts/exit-engine.ts';
import type { Exited, Served } from './parts/exit-exchange.ts';
import { startFloor } from './parts/exit-floor.ts';
import { tickers } from './parts/lane-starts.ts';

type Plan = {
  readonly symbols: number;
  readonly rounds: number;
  /** In each of them every symbol makes a round trip. */
  readonly minutesPerRound: number;
  /** Exchange seconds per wall second: fast enough for many minutes, slow enough for all exits to fit between two beats. */
  readonly speed: number;
  /** Without journal file and log: what the two cost. */
  readonly silent?: boolean;
};

/**
 * The critical path: from the frame that says an entry filled until the exit order is at the exchange, both ends on this
 * machine. Measured through the whole engine with its threads and journal; the floor answers the same frames from one
 * thread with nothing else to do. In each minute first the floor's orders fill, then the engine's, all symbols at once.
 */
const exitPath: Benchmark = {
  name: 'exit-path',
  async run({ quick }, report) {
    const plans: readonly Plan[] = quick
      ? [{ symbols: 2, rounds: 1, minutesPerRound: 2, speed: 120 }]
      : [
          { symbols: 1, rounds: 7, minutesPerRound: 20, speed: 120 },
          { symbols: 1, rounds: 5, minutesPerRound: 16, speed: 120, silent: true },
          { symbols: 50, rounds: 7, minutesPerRound: 4, speed: 40 },
          { symbols: 200, rounds: 5, minutesPerRound: 3, speed: 12 },
        ];
    for (const plan of plans) for (const figure of await measure(plan)) report(figure);
  },
};
export default exitPath;

async function measure(plan: Plan): Promise<readonly Figure[]> {
  const { symbols, rounds, minutesPerRound, speed, silent = false } = plan;
  const file = new URL('./parts/exit-exchange.js', import.meta.url);
  const child = fork(file, [String(symbols), String(speed)]);
  const ended = once(child, 'exit');
  const died = ended.then(([code]): never => {
    throw new Error(`the exchange lives until it is ended. Found: exit code ${code}`);
  });
  died.catch(() => {}); // it ends in any case; only a race that still waits is told
  const [served] = (await Promise.race([once(child, 'message'), died])) as [Served];
  const exits = collectExits(rounds, minutesPerRound);
  const stopFloor = await startFloor(served.floorUrl, tickers(symbols));
  const stopEngine = await startEngine(served.engineUrl, tickers(symbols), speed, { silent });
  child.on('message', (message: Exited) => exits.add(message));
  await Promise.race([exits.complete, died]);
  await stopEngine();
  await stopFloor();
  child.kill();
  await ended;
  return symbols === 1 ? figuresOfOne(exits, silent) : figuresOfMany(exits, symbols);
}

const FLOOR = 'one thread, ws and undici';

function figuresOfOne(exits: Exits, silent: boolean): readonly Figure[] {
  const name = `fill to exit, 1 symbol${silent ? ', journal and log off' : ''}`;
  const latencies = (who: Exited['who']) => exits.rounds(who).map((round) => latenciesOf(round.flat()));
  return latencyFigures(name, latencies('engine'), FLOOR, latencies('floor'));
}

/** All symbols fill in one instant: the median exit of such a burst, and its last. */
function figuresOfMany(exits: Exits, symbols: number): readonly Figure[] {
  const ofBursts = (who: Exited['who'], share: number): readonly number[] =>
    exits.rounds(who).map((bursts) => middle(bursts.map((burst) => at(burst, share))));
  return (['median', 'last'] as const).map((which) => {
    const share = which === 'median' ? 0.5 : 1;
    return {
      name: `fill to exit, ${symbols} symbols at once, ${which} exit`,
      unit: 'us',
      measured: spreadOf(ofBursts('engine', share)),
      floor: { name: FLOOR, ...spreadOf(ofBursts('floor', share)) },
    };
  });
}

const at = (values: readonly number[], share: number): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    share,
  );
const middle = (values: readonly number[]): number => at(values, 0.5);

type Exits = {
  readonly complete: Promise<void>;
  add(exit: Exited): void;
  /** By round, by minute. */
  rounds(who: Exited['who']): readonly (readonly (readonly number[])[])[];
};

/** Cuts what comes in into rounds of so many minutes; they begin when the engine has had one minute to warm up. */
function collectExits(rounds: number, minutesPerRound: number): Exits {
  const samples = { engine: new Map<number, number[]>(), floor: new Map<number, number[]>() };
  let firstMinute = Number.POSITIVE_INFINITY;
  let onComplete: () => void = () => {};
  const complete = new Promise<void>((resolve) => {
    onComplete = resolve;
  });
  return {
    complete,
    add({ who, minute, micros }: Exited): void {
      if (who === 'engine') firstMinute = Math.min(firstMinute, minute + 1);
      if (minute < firstMinute) return;
      const round = Math.floor((minute - firstMinute) / minutesPerRound);
      if (round >= rounds) {
        onComplete();
        return;
      }
      const list = samples[who].get(minute) ?? [];
      list.push(micros);
      samples[who].set(minute, list);
    },
    rounds(who) {
      const byRound = Array.from({ length: rounds }, (_, round) =>
        Array.from({ length: minutesPerRound }, (_, n) =>
          samples[who].get(firstMinute + round * minutesPerRound + n),
        ).filter((minute) => minute !== undefined),
      );
      const found = byRound.filter((minutes) => minutes.length > 0).length;
      if (found < rounds) throw new Error(`${who} exits in every round: ${rounds}. Found: ${found}`);
      return byRound;
    },
  };
}
