/** What a log line may carry besides its event name: plain data, prices and instants already formatted. */
export type LogFields = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number)[]>
>;

/** One line per event; `event` is a stable dotted name such as `lane.entry.refused`. Never throws, never waits. */
export type Log = {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
};
