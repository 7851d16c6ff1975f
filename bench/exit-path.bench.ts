import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Benchmark, type Figure, latenciesOf, latencyFigures } from './figure.ts';
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
          { symbols: 50, rounds: 7, minutesPerRound: 4, speed: 40 },
        ];
    for (const plan of plans) for (const figure of await measure(plan)) report(figure);
  },
};
export default exitPath;

async function measure({ symbols, rounds, minutesPerRound, speed }: Plan): Promise<readonly Figure[]> {
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
  const stopEngine = await startEngine(served.engineUrl, tickers(symbols), speed);
  child.on('message', (message: Exited) => exits.add(message));
  await Promise.race([exits.complete, died]);
  await stopEngine();
  await stopFloor();
  child.kill();
  await ended;
  const name = symbols === 1 ? 'fill to exit, 1 symbol' : `fill to exit, ${symbols} symbols at once`;
  return latencyFigures(name, exits.rounds('engine'), 'one thread, ws and undici', exits.rounds('floor'));
}

/** Cuts what comes in into rounds of so many minutes; they begin when the engine has had one minute to warm up. */
function collectExits(rounds: number, minutesPerRound: number) {
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
      const list = samples[who].get(round) ?? [];
      list.push(micros);
      samples[who].set(round, list);
    },
    rounds(who: Exited['who']) {
      if (samples[who].size < rounds)
        throw new Error(`${who} exits in every round: ${rounds}. Found: ${samples[who].size}`);
      return [...samples[who].values()].map(latenciesOf);
    },
  };
}
