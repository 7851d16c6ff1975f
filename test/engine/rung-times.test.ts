import { expect } from 'chai';
import type { ClientOrderId } from '../../lib/domain/ids.ts';
import {
  type Duration,
  after as later,
  type Micros,
  micros,
  minutes,
  seconds,
} from '../../lib/domain/time.ts';
import { createRungMeter } from '../../lib/engine/rung-times.ts';

const UNKNOWN = seconds(2);
const START = micros(1_000_000_000);

describe('rung times', () => {
  let now: Micros = START;
  const meter = () => createRungMeter(UNKNOWN, () => now);
  const sell = (rungs: ReturnType<typeof meter>, id: string, took: Duration): void => {
    rungs.left(id as ClientOrderId, now);
    now = later(now, took);
    rungs.ended(id as ClientOrderId, true, now);
  };
  beforeEach(() => {
    now = START;
  });

  it('are taken for a fixed time before anything was seen', () => {
    const rungs = meter();
    expect([rungs.cancel(), rungs.sell()]).to.deep.equal([UNKNOWN, UNKNOWN]);
  });

  it('are the slowest of the last minutes: the last lane decides when all are flat', () => {
    const rungs = meter();
    for (const [index, took] of [seconds(3), seconds(9), seconds(4)].entries())
      sell(rungs, `a${index}`, took);
    expect(rungs.sell()).to.equal(seconds(9));
    rungs.answered(seconds(1));
    rungs.answered(seconds(0.1));
    expect(rungs.cancel(), 'asked, and told').to.equal(seconds(2));
  });

  it('forget one slow sell after a while, though nothing was sold since: it must not keep entries shut for good', () => {
    const rungs = meter();
    sell(rungs, 'usual', seconds(3));
    sell(rungs, 'slow', minutes(7));
    sell(rungs, 'later', seconds(4));
    expect(rungs.sell()).to.equal(minutes(7));
    now = later(now, minutes(9));
    expect(rungs.sell()).to.equal(minutes(7));
    now = later(now, seconds(58));
    expect(rungs.sell(), 'the quicker one behind it is a moment younger').to.equal(seconds(4));
    now = later(now, minutes(1));
    expect(rungs.sell()).to.equal(UNKNOWN);
  });

  it('count a sell that ended without its shares as nothing', () => {
    const rungs = meter();
    rungs.left('x' as ClientOrderId, now);
    now = later(now, minutes(5));
    rungs.ended('x' as ClientOrderId, false, now);
    rungs.ended('y' as ClientOrderId, true, now);
    expect(rungs.sell()).to.equal(UNKNOWN);
  });
});
