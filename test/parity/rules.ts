/**
 * Why scalpd decides otherwise than the published script. Every difference that a test finds must be declared under one
 * of these names; `docs/PARITY.md` is generated from this table.
 */
export type Rule = {
  /** What the script does. */
  readonly script: string;
  /** What scalpd does instead. */
  readonly scalpd: string;
  readonly reason: string;
  /** The part of the design that demands it, by its trading rule where there is one. */
  readonly demandedBy: string;
};

export const RULES = {
  exactPatience: {
    script: 'cancels an unfilled buy at the first 30-second check that finds it older than two minutes',
    scalpd: 'cancels it two minutes after it was sent, to the instant',
    reason: 'patience is a setting, and a setting holds to the instant, not to the next check',
    demandedBy: 'entry patience (rule 3)',
  },
  bailOut: {
    script:
      'leaves the sell limit resting until it fills, for hours if need be, and takes no new signal meanwhile',
    scalpd:
      'cancels the exit two minutes after the first fill, waits for the confirmation and sells the rest at market',
    reason:
      'a position is held for two minutes at the most; a script without a time stop holds losers all day',
    demandedBy: 'bail-out (rule 5)',
  },
  entryCutoff: {
    script: 'buys on signals until 15:55',
    scalpd: 'enters no more from 15:53 (the hold time before the flatten) and says `afterCutoff`',
    reason: 'an entry that the flatten would cut short is not taken',
    demandedBy: 'flatten and entry cutoff (rule 6)',
  },
  flattenLadder: {
    script:
      'sells at market while its own limit still holds the shares, and is refused at each 30-second check',
    scalpd: 'cancels the resting exit, waits until the broker confirms, then sells',
    reason:
      'shares that an open order holds cannot be sold; the script carries them overnight or sells them short',
    demandedBy: 'bail-out and flatten (rules 5 and 6), trap H1',
  },
  priceOnTick: {
    script:
      'adds 0.01 in binary floating point and is refused for a sub-penny limit; it never tries again before 15:55',
    scalpd: 'computes in integers of 1/10000 dollar and rounds up to the tick',
    reason: 'a price off the tick is refused by the broker',
    demandedBy: 'exit price (rule 4), traps H3 and H15',
  },
  countsOnce: {
    script: "takes the second copy of a fill for the exit's fill, believes to be flat and buys again",
    scalpd: 'counts an execution id once',
    reason: 'the trade stream delivers at least once',
    demandedBy: 'failures: fill twice',
  },
  pollFindsFill: {
    script:
      'never learns of a fill whose frame was lost; its cancel is answered 422, and that ends every symbol',
    scalpd: 'finds the fill by asking for its orders and exits',
    reason: 'the trade stream is best effort',
    demandedBy: 'failures: fill lost on the stream; traps H6 and H14',
  },
  unknownLookedUp: {
    script: 'takes a 5xx for "not sent": it buys a second time, or never exits',
    scalpd: 'looks the client order id up until it knows, and only then decides',
    reason: 'a 5xx proves nothing; a second blind order doubles the position',
    demandedBy: 'gateway: three-valued outcomes; failures: submit times out; trap H7',
  },
  rateLimitPause: {
    script: 'sleeps three seconds in its event loop after a 429, blind and deaf for every symbol',
    scalpd:
      'pauses the budget to the reset that the answer names (five seconds when it names none) and stays awake',
    reason: 'sending into an exhausted budget wastes it; flatten goes first when it lifts',
    demandedBy: 'gateway: 429 pauses by the reset header',
  },
  zeroSharesDenied: {
    script: 'sends a buy of 0 shares on every signal',
    scalpd: 'denies it before it leaves (`zeroShares`) and says so at the start',
    reason: 'an order that must be refused only burns the budget',
    demandedBy: 'entry (rule 2), trap H9',
  },
  lastTradeFromFeed: {
    script: 'asks REST for the last trade of every buy, and skips the buy when that fails',
    scalpd: 'takes the last trade from the data socket it listens to anyway',
    reason: 'the limit is the last trade; one more request only makes it older',
    demandedBy: 'entry (rule 2): at the last trade price',
  },
  exitTriedAgain: {
    script: 'answers an exit that was refused or canceled with a market sell at once',
    scalpd: 'sends the exit again after a pause that grows, and bails out when the two minutes are over',
    reason:
      'a market sell in answer to every refusal is the loop without a pause; what a person cancels is no reason to pay the spread',
    demandedBy: 'exit and bail-out (rules 4 and 5), traps H11 and H12',
  },
  failedReadIsNoFact: {
    script: 'ends, with all symbols, when a read of its 30-second period fails',
    scalpd: 'asks again and trades on',
    reason: 'an error is not an answer',
    demandedBy: 'failures: a failed read is no picture',
  },
  positionFromFills: {
    script: 'asks for the position when a fill comes, and has neither order nor exit when that fails',
    scalpd: 'adds up its own fills',
    reason: 'position reads lag behind fills',
    demandedBy: 'exit (rule 4): exactly the shares of the lane; trap H14',
  },
  notOurs: {
    script: 'sells whatever the account holds of its symbol',
    scalpd: 'reports shares and orders that are not its own, touches none of them and halts the symbol',
    reason: 'what a person or another program bought is theirs until the operator adopts it',
    demandedBy: 'one place, own shares only (rule 7)',
  },
  staysUp: {
    script: 'ends at the close, before the open, and on errors',
    scalpd: 'waits for the next session',
    reason: 'under pm2 a process that ends is started again at once, all night',
    demandedBy: 'pm2: waits after the close',
  },
  exactAverage: {
    script:
      'compares the close with an average in binary floating point, where an exact tie may come out unequal',
    scalpd: 'compares integers: a tie is a tie, and "strictly below" means it',
    reason: 'rounding noise is no signal',
    demandedBy: 'signal (rule 1)',
  },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
