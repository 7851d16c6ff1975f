import { createRandom } from '../../lib/sim/random.ts';
import type { Corpus, Messages } from './corpus.ts';
import type { Finding } from './finding.ts';
import { DATA_WIRE, mutatedFrame, TRADE_WIRE } from './frames.ts';
import { type Counts, openSocketStand, type SocketName } from './socket-stand.ts';

/** Share of the frames that begin as control messages: most of them end a connection, which is slow to come back. */
const CONTROL = 0.02;

export type FrameFuzz = {
  readonly counts: Counts;
  run(number: number): void;
};

/** Mutated frames through decoder and connection machine of one socket. Equal seeds and numbers give equal frames. */
export function createFrameFuzz(
  socket: SocketName,
  seed: number,
  corpus: Corpus,
  onFinding: (finding: Finding) => void,
): FrameFuzz {
  const counts: Counts = new Map();
  const wire = socket === 'data' ? DATA_WIRE : TRADE_WIRE;
  const [plain, control]: readonly [Messages, Messages] =
    socket === 'data' ? [corpus.market, corpus.marketControl] : [corpus.updates, corpus.tradeControl];
  let current = 0;
  const stand = openSocketStand(
    socket,
    (rule, text) => onFinding({ part: socket, number: current, rule, text }),
    counts,
  );
  return {
    counts,
    run(number) {
      current = number;
      const random = createRandom(`${seed}/${socket}/${number}`);
      stand.deliver(mutatedFrame(random.chance(CONTROL) ? control : plain, wire, random));
    },
  };
}
