import { expect } from 'chai';
import type { ControlReply } from '../../lib/adapters/control/protocol.ts';
import { followUntilFlat, readPatience } from '../../lib/app/follow.ts';

const lane = (symbol: string, shares: number, stage: string, halted = false) => ({
  symbol,
  shares,
  stage,
  halted,
});
const status = (seconds: number, ...lanes: readonly object[]): ControlReply => ({
  ok: true,
  value: { secondsToFlatten: seconds, lanes },
});

async function follow(symbol: string | null, patience: number, ...replies: readonly ControlReply[]) {
  const told: string[] = [];
  const complaints: string[] = [];
  const left = [...replies];
  const last = replies.at(-1);
  const code = await followUntilFlat({
    symbol,
    patience,
    ask: async () => left.shift() ?? last ?? status(0),
    tell: (line) => told.push(line),
    complain: (line) => complaints.push(line),
  });
  return { code, told, complaints };
}

describe('waiting until flat', () => {
  const flat = status(0, lane('SPY', 0, 'flat'), lane('KO', 0, 'flat'));

  it('tells how it goes, each state once, and ends with 0 when everything is flat', async () => {
    const { code, told, complaints } = await follow(
      null,
      60,
      status(3.2, lane('SPY', 10, 'clearing'), lane('KO', 0, 'entering')),
      status(3.2, lane('SPY', 10, 'clearing'), lane('KO', 0, 'entering')),
      flat,
    );
    expect([code, complaints]).to.deep.equal([0, []]);
    expect(told).to.deep.equal(['getting out: 2 lanes, 10 shares; about 4 s of market time', 'flat']);
  });

  it('looks at one lane where one was ordered out', async () => {
    const { code, told } = await follow(
      'KO',
      60,
      status(1, lane('SPY', 10, 'exiting'), lane('KO', 0, 'flat')),
    );
    expect([code, told]).to.deep.equal([0, ['KO is flat']]);
  });

  it('ends with 4 when it is not flat in time, and names what is left and what is halted', async () => {
    const { code, told, complaints } = await follow(null, 0, status(0, lane('SPY', 10, 'exposed', true)));
    expect(code).to.equal(4);
    expect(told.join()).to.include('1 halted');
    expect(complaints).to.deep.equal(['scalpd: not flat within 0 s: SPY 10 shares (exposed)']);
  });

  it('ends with 3 when the daemon does not answer any more: nothing is proven', async () => {
    const gone: ControlReply = { ok: false, code: 'control.notRunning', text: 'nobody listens' };
    const { code, complaints } = await follow(null, 60, status(1, lane('SPY', 10, 'clearing')), gone);
    expect(code).to.equal(3);
    expect(complaints.join()).to.include('not known');
  });

  it('takes a number of seconds, five minutes when none is given', () => {
    expect(readPatience(undefined)).to.equal(null);
    expect(readPatience(true)).to.equal(300);
    expect(readPatience('90')).to.equal(90);
    for (const wrong of ['0', '-1', 'soon', '1.5', '99999999', ''])
      expect(readPatience(wrong), wrong).to.be.a('string').and.include('--wait');
  });
});
