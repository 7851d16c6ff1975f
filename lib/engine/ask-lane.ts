import type { Ticker } from '../domain/ids.ts';
import { after } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { LaneHost, LaneView } from '../ports/lane-host.ts';
import type { SupervisorSettings } from './settings.ts';
import type { Supervisor } from './supervisor-types.ts';

/** What came of asking a lane about itself; codes are stable. */
export type LaneAnswer =
  | { readonly kind: 'seen'; readonly view: LaneView }
  | {
      readonly kind: 'refused';
      readonly code: 'unknownSymbol' | 'laneNotInThread' | 'laneSilent';
      readonly text: string;
    };

export type AskLaneDeps = {
  readonly clock: Clock;
  readonly symbols: readonly Ticker[];
  readonly settings: Pick<SupervisorSettings, 'stallAfter'>;
  readonly supervisor: Pick<Supervisor, 'lanes' | 'ownerOf'> & { readonly host: Pick<LaneHost, 'control'> };
};

/** More names than this help nobody. */
const NAMED_MAX = 50;

/**
 * Asks the lane's own thread how it stands, which is not what the main thread believes of it. Never rejects, and takes no
 * longer than a lane may owe an answer (`stallAfter`). Nothing about the lane changes by it.
 */
export async function askLane(
  { clock, symbols, settings, supervisor }: AskLaneDeps,
  symbol: Ticker,
): Promise<LaneAnswer> {
  if (!symbols.includes(symbol))
    return refused('unknownSymbol', `a lane is one of ${listed(symbols)}; found: ${symbol}`);
  const isStarted = supervisor.lanes().some(({ params }) => params.symbol === symbol);
  const owner = isStarted ? supervisor.ownerOf(symbol) : 'nobody yet';
  if (owner !== 'thread')
    return refused('laneNotInThread', `a lane is asked in its thread; ${symbol} is with: ${owner}`);
  return new Promise((resolve) => {
    const settle = (answer: LaneAnswer): void => {
      limit.cancel();
      resolve(answer);
    };
    const silent = (why: string): void =>
      settle(refused('laneSilent', `a lane answers when it is asked; ${symbol} does not: ${why}`));
    const limit = clock.at(after(clock.now(), settings.stallAfter), () => silent('the time is up'));
    supervisor.host
      .control(symbol)
      .status()
      .then(
        (view) => settle({ kind: 'seen', view }),
        (cause: unknown) => silent(cause instanceof Error ? cause.message : String(cause)),
      );
  });
}

const refused = (code: Extract<LaneAnswer, { kind: 'refused' }>['code'], text: string): LaneAnswer => ({
  kind: 'refused',
  code,
  text,
});

function listed(symbols: readonly Ticker[]): string {
  const more = symbols.length - NAMED_MAX;
  return `${symbols.slice(0, NAMED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
