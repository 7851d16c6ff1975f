import type { Exit, Exits, PartySpec, Served, ServedParty } from './exit-exchange.ts';
import type { PartyAsked, PartyStart, PartyTold } from './exit-party.ts';
import { openChild, type TalkingChild } from './talking-child.ts';

/** An exchange for each party, all in one process, and each party in a process of its own. */
export type ExitStand = {
  /** Of all parties, in the order in which the exchange saw them. */
  readonly exits: readonly Exit[];
  served(who: string): ServedParty;
  /** Resolves when it trades. */
  join(who: string, start: Start): Promise<TalkingChild<PartyTold>>;
  /**
   * Resolves as soon as it holds, asked several times a second; rejects when a process is gone before, or when nobody has
   * exited for `SILENCE_MAX_MS`.
   */
  until(holds: () => boolean): Promise<void>;
  close(): Promise<void>;
};

type Start = PartyStart extends infer S
  ? S extends PartyStart
    ? Omit<S, 'url' | 'symbols' | 'speed'>
    : never
  : never;

const SILENCE_MAX_MS = 60_000;

export async function openExitStand(
  symbols: number,
  speed: number,
  parties: readonly PartySpec[],
): Promise<ExitStand> {
  const exchange = openChild<Served | Exits>('exit-exchange', { symbols, speed, parties });
  const joined: TalkingChild<PartyTold>[] = [];
  const exits: Exit[] = [];
  let onExits: () => void = () => {};
  exchange.onTold((told) => {
    if (told.kind !== 'exits') return;
    for (const exit of told.exits) exits.push(exit);
    onExits();
  });
  const { parties: served } = await exchange.next('served');
  const servedTo = (who: string): ServedParty => {
    const found = served.find((party) => party.who === who);
    if (found === undefined) throw new Error(`every party has an exchange. Found: ${who}`);
    return found;
  };
  return {
    exits,
    served: servedTo,
    async join(who, start) {
      const party = openChild<PartyTold>('exit-party', { ...start, url: servedTo(who).url, symbols, speed });
      joined.push(party);
      await party.next('ready');
      return party;
    },
    until: (holds) =>
      Promise.race([
        new Promise<void>((resolve, reject) => {
          let [heard, heardAt] = [exits.length, performance.now()];
          onExits = () => {
            if (exits.length > heard) [heard, heardAt] = [exits.length, performance.now()];
            if (holds()) resolve();
            else if (performance.now() - heardAt > SILENCE_MAX_MS)
              reject(new Error(`somebody exits within ${SILENCE_MAX_MS} ms. Found: ${heard} exits before`));
          };
          onExits();
        }),
        exchange.died,
        ...joined.map(({ died }) => died),
      ]),
    async close() {
      const stop: PartyAsked = 'stop';
      await Promise.all(joined.map((party) => party.end(stop)));
      await exchange.end();
    },
  };
}
