import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import { after as later, minutes, seconds } from '../../lib/domain/time.ts';
import { askLane, type LaneAnswer } from '../../lib/engine/ask-lane.ts';
import { type SimulatedDay, sessionOf, startDay } from './simulated-day.ts';

const SHORT = sessionOf('09:30', '10:30');
const [SPY, BAC] = ['SPY', 'BAC'] as [Ticker, Ticker];

const simulated = (): Promise<SimulatedDay> => startDay({ seed: 3, session: SHORT, symbols: [SPY, BAC] });

describe('asking a lane', () => {
  it('shows what the lane itself has seen', async () => {
    const day = await simulated();
    await day.runTo(later(SHORT.openAt, minutes(25)));
    const answer = await day.engine().askLane(SPY);
    if (answer.kind !== 'seen') throw new Error(`a lane that lives answers: ${answer.text}`);
    expect(answer.view.lane.mode).to.equal('active');
    expect(answer.view.barsSeen).to.be.within(23, 25);
    expect(answer.view.facts).to.have.keys('close', 'sma');
  });

  it('ends within its limit when the lane hangs', async () => {
    const day = await simulated();
    await day.runTo(later(SHORT.openAt, minutes(25)));
    day.lanes().hang(SPY);
    const answers: LaneAnswer[] = [];
    void day
      .engine()
      .askLane(SPY)
      .then((answer) => answers.push(answer));
    await day.runTo(later(day.clock.now(), seconds(2)));
    expect(answers).to.deep.equal([]);
    await day.runTo(later(day.clock.now(), seconds(2)));
    expect(answers).to.have.length(1);
    expect(answers[0]).to.include({ kind: 'refused', code: 'laneSilent' });
  });

  it('says who has a lane that is in no thread, and which symbols there are', async () => {
    const day = await simulated();
    await day.runTo(later(SHORT.openAt, minutes(25)));
    day.lanes().lose(BAC, { code: 'threw', text: 'a test' });
    expect(await day.engine().askLane(BAC)).to.deep.equal({
      kind: 'refused',
      code: 'laneNotInThread',
      text: 'a lane is asked in its thread; BAC is with: custodian',
    });
    expect(await day.engine().askLane('XYZ' as Ticker)).to.deep.equal({
      kind: 'refused',
      code: 'unknownSymbol',
      text: 'a lane is one of SPY, BAC; found: XYZ',
    });
  });

  it('says that a lane is not started yet', async () => {
    const day = await simulated();
    const notYet = (): never => {
      throw new Error('nobody asks for a lane that is not there');
    };
    const supervisor = { lanes: () => [], ownerOf: notYet, host: { control: notYet } };
    const settings = { stallAfter: seconds(3) };
    const answer = await askLane({ clock: day.clock, symbols: [SPY], settings, supervisor }, SPY);
    expect(answer).to.include({ code: 'laneNotInThread' });
    expect(answer).to.have.property('text').that.includes('nobody yet');
  });
});
