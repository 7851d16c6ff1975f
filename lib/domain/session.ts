import { after, before, type Duration, type Micros, type SessionDay } from './time.ts';

/** One trading day as instants, from the broker's calendar. */
export type Session = {
  readonly day: SessionDay;
  readonly openAt: Micros;
  readonly closeAt: Micros;
  /** Closes before the ordinary time (13:00 New York at the NYSE). */
  readonly halfDay: boolean;
};

/** The instants that a lane lives by. `entryCutoffAt <= flattenAt < closeAt`. */
export type SessionPlan = Session & { readonly entryCutoffAt: Micros; readonly flattenAt: Micros };

/** Entries stop one hold time before the flatten, so that no position is cut short by it. */
export function planSession(session: Session, flattenBeforeClose: Duration, holdMax: Duration): SessionPlan {
  const flattenAt = before(session.closeAt, flattenBeforeClose);
  const cutoff = before(flattenAt, holdMax);
  const entryCutoffAt = Math.max(cutoff, session.openAt) as Micros;
  return { ...session, flattenAt, entryCutoffAt };
}

/** Whether a minute bar belongs to the regular session: its whole minute lies between open and close. */
export function isSessionBar(session: Session, startAt: Micros): boolean {
  return startAt >= session.openAt && after(startAt, 60_000_000 as Duration) <= session.closeAt;
}
