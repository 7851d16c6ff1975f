/**
 * The Piscina task of a lane thread. Every import below costs each lane memory and start time, so nothing here may
 * lead to the log, the calendar, the configuration, HTTP or the broker's SDK.
 */
export { runLaneThread as default } from '../lib/adapters/threads/lane-thread.ts';
